import { type ChunkJob, DURABLES, LANES, type Lane } from '@earshot/contracts';
import type { JobHandler } from '@earshot/jobs';
import {
  applyTopology,
  type Broker,
  type JobLoop,
  type JobLoopOptions,
  type Settled,
  startJobLoop,
} from '@earshot/messaging';
import { aChunkJob, chunkKind, jobMessage, recordingLog, testTopology } from './support.ts';

/** ack_wait of the tests' consumers in milliseconds, with a guard that lets them be short. */
export const ACK_WAIT_MS = 2_000;
const LEASE = { ackWaitMs: ACK_WAIT_MS, guardMs: 300 };

export const durablesOf = (engine: string) =>
  Object.fromEntries(LANES.map((lane) => [lane, DURABLES.chunk(engine, lane)])) as Record<Lane, string>;

/** What a loop did, in order. */
export interface Seen {
  readonly settled: { subject: string; delivery: number; settled: Settled; ms: number }[];
  readonly alreadyThere: string[];
  readonly surplus: string[];
}

/** An engine with consumers of its own, so that the tests of one file do not meet. */
export class JobBench {
  static #count = 0;
  readonly engine = `e${++JobBench.#count}`;
  readonly log = recordingLog();
  readonly #broker: () => Broker;
  readonly #loops: JobLoop[] = [];

  constructor(broker: () => Broker) {
    this.#broker = broker;
  }

  async start(options: { cap?: number; ackWaitSeconds?: number } = {}): Promise<this> {
    const { cap, ackWaitSeconds = ACK_WAIT_MS / 1_000 } = options;
    const maxAckPending: Record<string, number> = cap ? { [this.engine]: cap } : {};
    const wanted = testTopology([this.engine], { maxAckPending, ackWaitSeconds });
    const own = wanted.consumers.filter(({ durable }) => durable.includes(this.engine));
    await applyTopology(this.#broker(), { ...wanted, consumers: own });
    return this;
  }

  loop(
    handler: JobHandler<ChunkJob>,
    options: Partial<Omit<JobLoopOptions<ChunkJob>, 'settings'>> & {
      settings?: Partial<JobLoopOptions<ChunkJob>['settings']>;
    } = {},
  ): JobLoop & { seen: Seen } {
    const seen: Seen = { settled: [], alreadyThere: [], surplus: [] };
    const loop = startJobLoop<ChunkJob>({
      broker: this.#broker(),
      durables: durablesOf(this.engine),
      slots: 1,
      kind: chunkKind,
      worker: 'test-worker',
      log: this.log,
      on: {
        settled: (message) => void seen.settled.push(message),
        alreadyThere: (subject) => void seen.alreadyThere.push(subject),
        surplus: (subject) => void seen.surplus.push(subject),
      },
      ...options,
      handler,
      settings: { ...LEASE, backoff: () => 50, ...options.settings },
    });
    this.#loops.push(loop);
    return Object.assign(loop, { seen });
  }

  job(data: Partial<ChunkJob> = {}): ChunkJob {
    return aChunkJob({ engine: this.engine, ...data });
  }

  async publish(data: Partial<ChunkJob> = {}): Promise<ChunkJob> {
    const job = this.job(data);
    await this.#broker().publisher.publishFirst(jobMessage(job));
    return job;
  }

  /** Messages of this engine that are queued or in flight. */
  async left(): Promise<number> {
    const counts = await Promise.all(
      LANES.map((lane) =>
        this.#broker().api.call<{ num_pending: number; num_ack_pending: number }>(
          `CONSUMER.INFO.JOBS.${DURABLES.chunk(this.engine, lane)}`,
        ),
      ),
    );
    return counts.reduce((sum, { num_pending, num_ack_pending }) => sum + num_pending + num_ack_pending, 0);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop({ graceMs: 500, finishWithinMs: 0 })));
  }
}

/** Settles when the signal is aborted, by throwing its reason: a well-behaved long job. */
export const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

/** A promise and its resolver. */
export function gate(): { opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
