import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { seededRandom } from '@earshot/testkit';
import { untilRest } from './at-rest.ts';
import { ChaosWorld, VENDOR_ENGINES } from './chaos-world.ts';
import type { History, Requests, Submission } from './history.ts';
import { invariants } from './invariants.ts';
import { Nemesis } from './nemesis.ts';
import { readHistory } from './read-history.ts';
import { Reader } from './reader.ts';
import { type PlannedRecording, planRecordings, poisonOf } from './recordings.ts';
import { describeStep, makeSchedule, type Step } from './schedule.ts';
import { submit } from './submit.ts';
import { watchHeld } from './watch-held.ts';

export interface ChaosOptions {
  readonly seed: number;
  /** Chunk jobs. */
  readonly jobs: number;
  readonly kills: number;
  readonly partitions: number;
  readonly rolling: number;
  /** Faults of other kinds. */
  readonly others: number;
  readonly loseStore: boolean;
  /** Left out, with a word, where no disk may be mounted. */
  readonly fullDisk: boolean;
  readonly workers: number;
  readonly ackWaitSeconds: number;
  readonly chunksEach: number;
  /** Real recordings for the local engine. */
  readonly samples: number;
  /** Recordings are submitted over so many seconds; 0: as soon as there is room in the queue. */
  readonly seconds: number;
  /** How long the vendor takes to answer; default 0. */
  readonly answerMs?: number;
  /** How long the end may take once everything is healed. */
  readonly restSeconds: number;
  /** Faults instead of those that follow from the seed. */
  readonly schedule?: readonly Step[];
  /** The checkout whose builds are run. */
  readonly repository?: string | undefined;
  /** Where history and logs are kept when something was found. */
  readonly keepIn: string;
  readonly say: (line: string) => void;
}

/** One rule and what contradicted it. */
export interface Verdict {
  readonly name: string;
  readonly says: string;
  /** How many things were looked at. */
  readonly looked_at: number;
  readonly findings: readonly string[];
}

export interface ChaosReport {
  readonly seed: number;
  readonly seconds: number;
  readonly jobs: number;
  readonly recordings: number;
  readonly schedule: readonly Step[];
  readonly verdicts: readonly Verdict[];
  /** Recordings that were sent again because no answer came. */
  readonly repeats: number;
  /** How long nothing moved although nobody broke anything: the machine had too much to do. */
  readonly stalled_ms: number;
  readonly requests: Requests;
  readonly machine: string;
  /** Where history and logs are, when something was found. */
  readonly kept: string | undefined;
}

/** Jobs that wait at the most: enough for every slot, and small enough to keep submitting to the end. */
const QUEUE = 1_500;
const CLIENTS = 4;
const COUNT_EVERY_MS = 250;

/** A whole run: work, faults, rest, judgement. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const started = performance.now();
  const world = await ChaosWorld.start({ ...options, sherpa: options.samples > 0 });
  try {
    return await new ChaosRun(world, options).judge(started);
  } finally {
    await world.close();
  }
}

class ChaosRun {
  readonly #world: ChaosWorld;
  readonly #options: ChaosOptions;
  readonly #recordings: readonly PlannedRecording[];
  readonly #schedule: readonly Step[];
  readonly #total: number;
  readonly #startedAt = performance.now();
  #done = 0;
  #submitted = 0;
  #working = true;

  constructor(world: ChaosWorld, options: ChaosOptions) {
    const { ackWaitSeconds } = options;
    this.#world = world;
    this.#options = options;
    this.#recordings = planRecordings({ ...options, engines: VENDOR_ENGINES });
    const fullDisk = options.fullDisk && world.disk !== undefined;
    this.#schedule =
      options.schedule ?? makeSchedule({ ...options, fullDisk, ackWaitMs: ackWaitSeconds * 1_000 });
    this.#total = this.#recordings.reduce((sum, { chunks }) => sum + chunks, 0);
  }

  async judge(started: number): Promise<ChaosReport> {
    const { seed } = this.#options;
    const { history, repeats } = await this.#make();
    const verdicts = invariants.map(({ name, says, check }) => ({
      name,
      says,
      looked_at: sizeOf(name, history),
      findings: check(history),
    }));
    const failed = verdicts.some(({ findings }) => findings.length > 0);
    const counts = {
      jobs: history.transcripts.reduce((sum, { chunks, gaps }) => sum + chunks.length + gaps.length, 0),
    };
    return {
      seed,
      seconds: Math.round((performance.now() - started) / 1_000),
      ...counts,
      recordings: history.submissions.length,
      schedule: this.#schedule,
      verdicts,
      repeats,
      stalled_ms: stalledMs(history),
      requests: history.requests,
      machine: `${availableParallelism()} cores, ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`,
      kept: failed ? await this.#keep(history) : undefined,
    };
  }

  readonly #say = (line: string) => {
    const seconds = Math.round((performance.now() - this.#startedAt) / 1_000);
    this.#options.say(`${String(seconds).padStart(5)} s  ${line}`);
  };

  async #make(): Promise<{ history: History; repeats: number }> {
    const world = this.#world;
    const { restSeconds } = this.#options;
    const say = this.#say;
    if (this.#options.fullDisk && !world.disk)
      say('         no full disk: mounting one takes root, on Linux');
    const poison = this.#recordings.flatMap((recording) => poisonOf(recording) ?? []);
    await world.cloud.behave({ poison, operation_ms: 20, answer_ms: this.#options.answerMs ?? 0 });
    const nemesis = new Nemesis({
      world,
      schedule: this.#schedule,
      progress: () => this.#done / this.#total,
      say,
    });
    const counting = this.#count();
    const watch = watchHeld(world, nemesis, this.#options.ackWaitSeconds * 1_000);
    const reader = new Reader(world, seededRandom(this.#options.seed));
    const [submissions] = await Promise.all([this.#submitAll(reader), nemesis.run()]);
    say('         healed; waiting for rest');
    const ids = submissions.filter(({ outcome }) => outcome === 'accepted').map(({ id }) => id);
    const work = await untilRest(world, ids, restSeconds * 1_000);
    this.#working = false;
    await counting;
    if (Object.values(work).some((count) => count > 0)) say(`         not at rest: ${JSON.stringify(work)}`);
    const { stopped, lost } = nemesis;
    const { held, stalls } = watch.stop();
    const disturbances = [...nemesis.disturbances, ...stalls];
    const history = await readHistory(world, {
      ...{ recordings: this.#recordings, submissions, stopped, lost, disturbances, work, held },
      requests: await reader.stop(),
      gentle: this.#schedule.every(({ fault }) => fault.kind === 'rolling_restart'),
    });
    return { history, repeats: submissions.reduce((sum, { tries }) => sum + tries - 1, 0) };
  }

  async #submitAll(reader: Reader): Promise<(Submission & { tries: number })[]> {
    const waiting = this.#recordings.map((recording, n) => ({ recording, n }));
    const submissions: (Submission & { tries: number })[] = [];
    const everyMs = (this.#options.seconds * 1_000) / this.#recordings.length;
    const begin = performance.now();
    const client = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const { recording, n } = next;
        const early = begin + n * everyMs - performance.now();
        if (early > 0) await pause(early);
        while (this.#submitted - this.#done > QUEUE) await pause(COUNT_EVERY_MS);
        this.#submitted += recording.chunks;
        const sent = await submit(this.#world, recording, seededRandom(this.#options.seed + n));
        if (sent.outcome === 'accepted') reader.add(recording.id);
        submissions.push({ id: recording.id, poison: recording.poison !== undefined, ...sent });
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    return submissions;
  }

  /** Keeps the count of chunks that are done; while the database is down it stays what it was. */
  async #count(): Promise<void> {
    while (this.#working) {
      const [row] = await this.#world.database
        .query<{ done: number }>(
          'SELECT (SELECT count(*) FROM chunks)::int + (SELECT count(*) FROM dead_letters)::int AS done',
        )
        .catch(() => []);
      this.#done = row?.done ?? this.#done;
      await pause(COUNT_EVERY_MS);
    }
  }

  async #keep(history: History): Promise<string> {
    const folder = join(this.#options.keepIn, `chaos-${this.#options.seed}-${Date.now()}`);
    await mkdir(folder, { recursive: true });
    const ambiguous = Object.fromEntries(history.ambiguous);
    await writeFile(
      join(folder, 'history.json'),
      JSON.stringify({ ...history, ambiguous, paid: [...history.paid] }, null, 1),
    );
    await writeFile(join(folder, 'schedule.txt'), this.#schedule.map(describeStep).join('\n'));
    await writeFile(
      join(folder, 'calls.jsonl'),
      (await this.#world.cloud.log()).map((line) => JSON.stringify(line)).join('\n'),
    );
    for (const { name, lines } of this.#world.runsOf('')) {
      await writeFile(join(folder, `${name}.jsonl`), lines.map((line) => JSON.stringify(line)).join('\n'));
    }
    return folder;
  }
}

const stalledMs = ({ disturbances }: History) =>
  disturbances.filter(({ thing }) => thing === 'stall').reduce((sum, { from, to }) => sum + to - from, 0);

function sizeOf(name: string, history: History): number {
  const chunks = history.transcripts.reduce((sum, transcript) => sum + transcript.chunks.length, 0);
  const sizes: Readonly<Record<string, number>> = {
    I2: chunks,
    I3: history.calls.filter(({ engine }) => history.paid.has(engine)).length,
    I4: history.chunkFacts.length,
    I5: history.finalFacts.length,
    I6: history.finalFacts.length,
    I7: history.calls.length,
    I9: history.runs.length,
    I10: history.runs.length,
    I11: history.submissions.length + history.requests.made,
  };
  return sizes[name] ?? history.submissions.length;
}
