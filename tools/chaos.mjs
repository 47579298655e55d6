// `npm run test:chaos`: the long proofs of docs/reliability.md on real processes, one after another. Prints what they
// measured as a table; the last line is `N passed, N failed`. Installs what is missing, so it imports nothing installed.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensurePackages } from './bootstrap.mjs';
import { figureTable } from './figure-table.mjs';
import { closingLine, vitestCounts } from './report.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const SCENARIOS = {
  'worker-kill': 'kill -9 of workers in mid-chunk',
  'hand-over': 'SIGTERM of workers in mid-chunk',
  'two-runners': 'workers stopped for twice ack_wait, or cut off without a word',
  lanes: 'low jobs under a stream of high ones, high ones past a thousand low ones',
  'engine-down': 'an engine away for a minute (--full: five)',
  outage: 'PostgreSQL, NATS and the store of recordings restarted and away',
  full: 'NATS at its max_file, full volumes of recordings and PostgreSQL (needs root)',
};
const HELP = `npm run test:chaos -- [options]

  --only NAME   one scenario; may be repeated
  --seed N      repeats the choices of an earlier run
  --full        the largest sizes and longest times, about half an hour; without it about eight minutes
  --help

Scenarios:
${Object.entries(SCENARIOS)
  .map(([name, what]) => `  ${name.padEnd(13)} ${what}`)
  .join('\n')}
`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: [] },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      full: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const unknown = values.only.filter((name) => !(name in SCENARIOS));
  if (unknown.length > 0) throw new Error(`there is no scenario ${unknown.join(', ')}`);
  if (!/^\d+$/.test(values.seed)) throw new Error('--seed is a whole number');
  return values;
}

/** Runs the scenarios under vitest; resolves to its exit code and report. */
async function runScenarios({ only, seed, full }) {
  const folder = await mkdtemp(join(tmpdir(), 'earshot-chaos-'));
  const file = join(folder, 'report.json');
  const files = only.map((name) => `faults/${name}.chaos`);
  const tool = join(root, 'node_modules/vitest/vitest.mjs');
  const reporters = ['--reporter=verbose', '--reporter=json', `--outputFile.json=${file}`];
  const child = spawn(
    process.execPath,
    [tool, 'run', '--config', 'vitest.chaos.config.ts', ...reporters, ...files],
    {
      cwd: root,
      env: { ...process.env, CHAOS_SEED: seed, CHAOS_FULL: full ? 'yes' : 'no' },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const exitCode = await new Promise((resolve) => {
    child.on('error', () => resolve(1));
    child.on('exit', (code) => resolve(code ?? 1));
  });
  const report = await readFile(file, 'utf8').then(JSON.parse, () => undefined);
  await rm(folder, { recursive: true, force: true });
  return { exitCode, report };
}

async function main() {
  const options = readOptions();
  if (options.help) return process.stdout.write(HELP);
  await ensurePackages({ dev: true });
  process.stdout.write(`seed ${options.seed} (--seed ${options.seed} chooses the same moments again)\n`);
  const { exitCode, report } = await runScenarios(options);
  const counts = vitestCounts(report, exitCode);
  process.stdout.write(`\n${figureTable(report)}\n\n${closingLine(counts)}\n`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
}

await main().catch((error) => {
  process.stderr.write(`${error.message}\n\n${HELP}\n`);
  process.stdout.write(`${closingLine({ passed: 0, failed: 1 })}\n`);
  process.exitCode = 2;
});
