// `npm run test:chaos`: the long proofs of docs/reliability.md on real processes, one after another. Prints what they
// measured as a table; the last line is `N passed, N failed`. Installs what is missing, so it imports nothing installed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensurePackages } from './bootstrap.mjs';
import { figureTable } from './figure-table.mjs';
import { closingCounts, closingLine, sum, vitestCounts } from './report.mjs';

/** Options of the chaos bench alone; it says what they mean. */
const OF_BENCH =
  /^--(rounds|jobs|kills|partitions|rolling|others|workers|chunks|samples|seconds|ack-wait|rest|no-lose-store|no-full-disk|resume|shrink|mutations?)(=|$)/;
/** What is run of it where nobody asks for more: three seeds of everything, then rolling restarts that nobody may notice. */
const SHORT_BENCHES = [
  '--rounds 3 --jobs 600 --chunks 40 --samples 1 --kills 8 --partitions 3 --others 4',
  '--jobs 300 --chunks 20 --samples 0 --seconds 30 --kills 0 --partitions 0 --others 0 --rolling 2 --no-lose-store --no-full-disk',
].map((options) => options.split(' '));

const root = fileURLToPath(new URL('..', import.meta.url));
const SCENARIOS = {
  'worker-kill': 'kill -9 of workers in mid-chunk',
  'hand-over': 'SIGTERM of workers in mid-chunk',
  'two-runners': 'workers stopped for twice ack_wait, or cut off without a word',
  lanes: 'low jobs under a stream of high ones, high ones past a thousand low ones',
  'engine-down': 'an engine away for half a minute (--full: five minutes)',
  outage: 'PostgreSQL, NATS and the store of recordings restarted and away',
  google:
    'a thousand paid calls under kills and lost answers, and a while without quota (--full: two minutes)',
  full: 'NATS at its max_file, full volumes of recordings and PostgreSQL (needs root)',
  chaos: 'everything broken again and again from one seed, then a checker over all that happened',
};
const HELP = `npm run test:chaos -- [options]

  --only NAME   one scenario; may be repeated
  --seed N      repeats the choices of an earlier run
  --full        the largest sizes and longest times, about half an hour; without it about a quarter of an hour
  --help

  --jobs N --kills N --partitions N, and more: the chaos bench alone, larger or smaller; \`--jobs 1 --help\` lists them
  --mutations   rules of the product taken away one at a time: the checker of the bench must notice each

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

/** Runs the chaos bench, shows what it prints, and resolves to its counts. */
async function runBench(args) {
  const file = 'services/combined/test/chaos/main.ts';
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@earshot/source', file, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => child.kill(signal));
  let output = '';
  child.stdout.on('data', (data) => {
    output = (output + data).slice(-1_000);
    process.stdout.write(data);
  });
  await once(child, 'close');
  return closingCounts(output) ?? { passed: 0, failed: 1 };
}

/** Runs the scenarios under vitest; resolves to its exit code and report. */
async function runScenarios({ only, seed, full }) {
  const folder = await mkdtemp(join(tmpdir(), 'earshot-chaos-'));
  const file = join(folder, 'report.json');
  const files = only.filter((name) => name !== 'chaos').map((name) => `faults/${name}.chaos`);
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
  const args = process.argv.slice(2);
  if (args.some((arg) => OF_BENCH.test(arg))) return benchAlone(args);
  const options = readOptions();
  if (options.help) return process.stdout.write(HELP);
  await ensurePackages({ dev: true });
  process.stdout.write(`seed ${options.seed} (--seed ${options.seed} chooses the same moments again)\n`);
  const counts = [];
  if (options.only.some((name) => name !== 'chaos') || options.only.length === 0) {
    const { exitCode, report } = await runScenarios(options);
    counts.push(vitestCounts(report, exitCode));
    process.stdout.write(`\n${figureTable(report)}\n\n`);
  }
  if (options.only.includes('chaos') || options.only.length === 0) {
    for (const bench of SHORT_BENCHES) counts.push(await runBench(['--seed', options.seed, ...bench]));
  }
  finish(sum(counts));
}

async function benchAlone(args) {
  await ensurePackages({ dev: true });
  finish(await runBench(args.filter((arg, n) => arg !== '--only' && args[n - 1] !== '--only')));
}

function finish(counts) {
  process.stdout.write(`${closingLine(counts)}\n`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
}

await main().catch((error) => {
  process.stderr.write(`${error.message}\n\n${HELP}\n`);
  process.stdout.write(`${closingLine({ passed: 0, failed: 1 })}\n`);
  process.exitCode = 2;
});
