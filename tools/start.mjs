// `npm start`: installs what is missing, then runs the combined service from source.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensurePackages } from './bootstrap.mjs';

await ensurePackages({ dev: false });

const main = fileURLToPath(new URL('../services/combined/src/main.ts', import.meta.url));
const args = ['--import', 'tsx', '--conditions=@earshot/source', main, ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { stdio: 'inherit' });

// A terminal sends Ctrl-C to the child as well; other senders know only this process.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
process.on('SIGHUP', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => {
  if (signal) process.kill(process.pid, signal);
  process.exit(code ?? 1);
});
