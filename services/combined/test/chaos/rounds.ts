import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failed, reportLines } from './report.ts';
import { type ChaosOptions, type ChaosReport, runChaos } from './run-chaos.ts';

/** A long run, in rounds that are each judged for themselves; `folder` keeps those that are over, so that it can be gone on with. */
export interface LongRun {
  /** Of one round. */
  readonly options: ChaosOptions;
  readonly rounds: number;
  readonly folder: string;
}

/** Runs the rounds that are missing and resolves to the sum of all; stops at the first one that found something. */
export async function runRounds({ options, rounds, folder }: LongRun): Promise<ChaosReport> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'rounds.json');
  const over = await finishedRounds(file);
  while (over.length < rounds && !over.some(failed)) {
    const seed = options.seed + over.length;
    options.say(`\nround ${over.length + 1} of ${rounds}, seed ${seed}`);
    const report = await runChaos({ ...options, seed });
    over.push(report);
    await writeFile(file, JSON.stringify(over, null, 1));
    for (const line of reportLines(report, `--seed ${seed}`)) options.say(line);
  }
  return sumOf(over);
}

async function finishedRounds(file: string): Promise<ChaosReport[]> {
  const text = await readFile(file, 'utf8').catch(() => '[]');
  return JSON.parse(text) as ChaosReport[];
}

/** All rounds as one report; the seed is the first one's. */
export function sumOf(rounds: readonly ChaosReport[]): ChaosReport {
  const [first] = rounds;
  if (!first) throw new Error('there are no rounds');
  const sum = (of: (round: ChaosReport) => number) => rounds.reduce((total, round) => total + of(round), 0);
  return {
    ...first,
    seconds: sum(({ seconds }) => seconds),
    jobs: sum(({ jobs }) => jobs),
    recordings: sum(({ recordings }) => recordings),
    repeats: sum(({ repeats }) => repeats),
    stalled_ms: sum(({ stalled_ms }) => stalled_ms),
    requests: {
      made: sum(({ requests }) => requests.made),
      repeated: sum(({ requests }) => requests.repeated),
      unanswered: sum(({ requests }) => requests.unanswered),
    },
    schedule: rounds.flatMap(({ schedule }) => schedule),
    verdicts: first.verdicts.map((verdict, n) => ({
      ...verdict,
      looked_at: sum(({ verdicts }) => verdicts[n]?.looked_at ?? 0),
      findings: rounds.flatMap(({ verdicts }) => verdicts[n]?.findings ?? []),
    })),
    kept: rounds.find(({ kept }) => kept)?.kept,
  };
}
