/**
 * npm run doctor: what this machine has and what Earshot would still fetch. Downloads nothing, starts nothing.
 * Exit code 1 when something required is missing and cannot be fetched. Works before the packages are installed.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installedPackages, requireNode } from './bootstrap.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

requireNode();
process.exitCode = process.argv.includes('--rows') ? await printRows() : await outer();

async function outer() {
  const packages = await installedPackages().catch(() => undefined);
  const text = { dev: 'all installed', prod: 'installed (without the test tools)' };
  const known = packages === undefined ? 'missing or out of date' : text[packages];
  print({
    part: 'packages',
    found: packages !== undefined,
    version: known,
    where: join(ROOT, 'node_modules'),
  });
  if (!existsSync(join(ROOT, 'node_modules', 'tsx'))) {
    print({ part: 'Node', found: true, version: process.versions.node, where: process.execPath });
    process.stdout.write('\nThe packages are not installed, so the rest cannot be looked at yet.\n');
    process.stdout.write(
      'Run npm start (installs them and starts everything) or npm ci, then npm run doctor again.\n',
    );
    return 1;
  }
  const args = ['--conditions=@earshot/source', '--import', 'tsx', fileURLToPath(import.meta.url), '--rows'];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  return new Promise((done) => {
    child.on('exit', (code) => done(code ?? 1));
    child.on('error', () => done(1));
  });
}

async function printRows() {
  const { doctor, doctorText, embeddedOptionsFromEnv } = await import('@earshot/embedded');
  const home = process.env.EARSHOT_HOME || join(ROOT, '.earshot');
  const port = Number(process.env.PORT) || 8080;
  const rows = await doctor({ options: embeddedOptionsFromEnv(process.env), home, port });
  process.stdout.write(doctorText(rows));
  return rows.some((row) => row.problem !== undefined) ? 1 : 0;
}

/** A row as `doctorText` of libs/embedded prints it, which cannot be loaded before the packages are there. */
function print({ part, found, version, where }) {
  process.stdout.write(`${found ? 'ok  ' : '-   '} ${part.padEnd(16)} ${version ?? 'missing'}  ${where}\n`);
}
