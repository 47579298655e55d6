// The chaos bench: see `--help`. Its last line is `N passed, N failed`.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isProven, proofLines, proveChecker } from './prove-checker.ts';
import { failed, reportLines } from './report.ts';
import { runRounds } from './rounds.ts';
import { type ChaosOptions, runChaos } from './run-chaos.ts';
import { describeStep } from './schedule.ts';
import { shrink } from './shrink.ts';

const HELP = `npm run test:chaos -- --jobs N [options]

  --seed N         of the first round (default 1); the same seed chooses the same faults
  --rounds N       rounds, each with its own servers and the next seed (default 1)
  --jobs N         chunk jobs of a round (default 2000)
  --kills N        kill -9 of any process, in a round (default 20)
  --partitions N   connections cut without a word, in a round (default 5)
  --rolling N      all services stopped and started one after another (default 0)
  --others N       other faults, in a round (default 10)
  --workers N      (default 3)
  --chunks N       of one recording (default 100)
  --samples N      real recordings for the local engine (default 3)
  --seconds N      submit over so many seconds (default 0: as fast as the queue allows)
  --ack-wait N     seconds (default 5)
  --rest N         seconds that the end of a round may take (default 300)
  --no-lose-store  do not delete the JetStream store in each round
  --no-full-disk   do not fill the volume of recordings in each round (it takes root anyway)
  --resume FOLDER  keep finished rounds there, and go on with those that are
  --mutations      take one rule of the product away at a time, and see each noticed
  --mutation NAME  only those with this in their name
  --shrink         look for a smaller schedule that fails too
`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '2000' },
    kills: { type: 'string', default: '20' },
    partitions: { type: 'string', default: '5' },
    rolling: { type: 'string', default: '0' },
    others: { type: 'string', default: '10' },
    workers: { type: 'string', default: '3' },
    chunks: { type: 'string', default: '100' },
    samples: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '0' },
    'ack-wait': { type: 'string', default: '5' },
    rest: { type: 'string', default: '300' },
    'no-lose-store': { type: 'boolean', default: false },
    'no-full-disk': { type: 'boolean', default: false },
    resume: { type: 'string' },
    shrink: { type: 'boolean', default: false },
    mutations: { type: 'boolean', default: false },
    mutation: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const say = (line: string) => void process.stdout.write(`${line}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

if (values.help) say(HELP);
else if (values.mutations || values.mutation) await checkMutations();
else await main();
// What a run leaves behind must not keep the process.
process.exit();

async function checkMutations(): Promise<void> {
  const keepIn = mkdtempSync(join(tmpdir(), 'earshot-chaos-'));
  const proofs = await proveChecker({ keepIn, say }, values.mutation);
  for (const line of ['\nmutation → rules that noticed it', ...proofLines(proofs)]) say(line);
  const bad = proofs.filter((proof) => !isProven([proof])).length;
  say(`${proofs.length - bad} passed, ${bad} failed`);
  process.exitCode = bad > 0 ? 1 : 0;
}

async function main(): Promise<void> {
  const folder = values.resume ?? mkdtempSync(join(tmpdir(), 'earshot-chaos-'));
  const options = optionsOf(folder);
  const report = await runRounds({ options, rounds: Number(values.rounds), folder });
  if (Number(values.rounds) > 1) {
    say('\nall rounds');
    for (const line of reportLines(report, process.argv.slice(2).join(' '))) say(line);
  }
  if (failed(report) && values.shrink) {
    const smaller = await shrink(report.schedule, (schedule) => runChaos({ ...options, schedule }));
    for (const line of ['\nA smaller schedule that fails:', ...smaller.map(describeStep)]) say(line);
  }
  say(failed(report) ? '0 passed, 1 failed' : '1 passed, 0 failed');
  process.exitCode = failed(report) ? 1 : 0;
}

function optionsOf(keepIn: string): ChaosOptions {
  return {
    seed: Number(values.seed),
    jobs: Number(values.jobs),
    kills: Number(values.kills),
    partitions: Number(values.partitions),
    rolling: Number(values.rolling),
    others: Number(values.others),
    loseStore: !values['no-lose-store'],
    fullDisk: !values['no-full-disk'],
    workers: Number(values.workers),
    ackWaitSeconds: Number(values['ack-wait']),
    chunksEach: Number(values.chunks),
    samples: Number(values.samples),
    seconds: Number(values.seconds),
    restSeconds: Number(values.rest),
    keepIn,
    say,
  };
}
