// `npm test`: lint, dependencies, types, then every test of every package. Installs what is missing first, so it
// imports nothing that has to be installed. The last line is always `N passed, N failed`.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensurePackages } from './bootstrap.mjs';
import { closingLine, sum, vitestCounts } from './report.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const STATIC_STEPS = [
  {
    name: 'lint',
    command: ['@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '--diagnostic-level=warn', '.'],
  },
  { name: 'dependencies', command: ['knip/bin/knip.js', '--dependencies', '--no-config-hints'] },
  { name: 'types', command: ['typescript/bin/tsc', '-b'] },
  { name: 'types of tests', command: ['typescript/bin/tsc', '-p', 'tools/tsconfig.tests.json'] },
];

/** Runs a tool of node_modules by its file, so that no shell and no npx stands between; resolves to its exit code. */
function run([file, ...args]) {
  const tool = join(root, 'node_modules', file);
  const child = spawn(process.execPath, [tool, ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return new Promise((resolve) => {
    child.on('error', () => resolve(1));
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

async function timed(name, work) {
  process.stdout.write(`\n── ${name}\n`);
  const start = performance.now();
  const counts = await work();
  return { name, ...counts, seconds: (performance.now() - start) / 1000 };
}

const staticStep = ({ name, command }) =>
  timed(name, async () => ((await run(command)) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }));

async function vitestStep(args) {
  const folder = await mkdtemp(join(tmpdir(), 'earshot-test-'));
  const file = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const exitCode = await run(['vitest/vitest.mjs', 'run', ...reporters, ...args]);
  const report = await readFile(file, 'utf8').then(JSON.parse, () => undefined);
  await rm(folder, { recursive: true, force: true });
  return vitestCounts(report, exitCode);
}

async function installStep() {
  try {
    await ensurePackages({ dev: true });
    return { passed: 1, failed: 0 };
  } catch (error) {
    process.stderr.write(`${error.stack}\n`);
    return { passed: 0, failed: 1 };
  }
}

const results = [await timed('packages', installStep)];
if (results[0].failed === 0) {
  for (const step of STATIC_STEPS) results.push(await staticStep(step));
  results.push(await timed('tests', () => vitestStep(process.argv.slice(2))));
}

process.stdout.write('\n');
for (const { name, passed, failed, seconds } of results) {
  const mark = failed === 0 ? 'ok  ' : 'FAIL';
  process.stdout.write(
    `${mark} ${name.padEnd(16)} ${closingLine({ passed, failed })}, ${seconds.toFixed(1)} s\n`,
  );
}
const total = sum(results);
process.stdout.write(`${closingLine(total)}\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
