#!/usr/bin/env node
// The command `earshot`: from source where the tools for that are installed (a clone after npm install), else as built.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = (path) => fileURLToPath(new URL(path, import.meta.url));

function fromSource() {
  if (!existsSync(file('../src/main.ts'))) return undefined;
  try {
    const tsx = import.meta.resolve('tsx');
    return ['--import', tsx, '--conditions=@earshot/source', file('../src/main.ts')];
  } catch {
    return undefined;
  }
}

const source = fromSource();
if (source) run(source);
else await import('../dist/main.js');

/** A process of its own, because the condition under which packages resolve to their source is given at its start. */
function run(program) {
  const child = spawn(process.execPath, [...program, ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to the child as well; other senders know only this process.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
  });
}
