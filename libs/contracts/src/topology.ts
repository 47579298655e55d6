import { LANES, type Lane } from './names.ts';

/** A stream as data; `libs/messaging` applies and verifies it. Ages are milliseconds. */
export interface StreamSpec {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly retention: 'workqueue' | 'limits';
  readonly discard: 'new' | 'old';
  /** −1: no limit of its own. */
  readonly max_bytes: number;
  /** 0: kept until removed. */
  readonly max_age_ms: number;
  /** −1: no limit; 1 makes a bucket of last values. */
  readonly max_msgs_per_subject: number;
  readonly allow_msg_schedules: boolean;
  readonly replicas: number;
}

/** A durable pull consumer as data. */
export interface ConsumerSpec {
  readonly stream: string;
  readonly durable: string;
  readonly filter_subject: string;
  readonly ack_wait_ms: number;
  /** The concurrency limit of the whole installation; changed while running, so not part of drift. */
  readonly max_ack_pending: number;
}

export interface Topology {
  readonly streams: readonly StreamSpec[];
  readonly consumers: readonly ConsumerSpec[];
}

/** What an installation may choose. */
export interface TopologySettings {
  readonly engines: readonly string[];
  /** 5 to 3600. */
  readonly ackWaitSeconds: number;
  /** Messages in flight per engine; engines left out get 1000. */
  readonly maxAckPending: Readonly<Record<string, number>>;
  /** Budget of all streams together: the account's `max_file`. */
  readonly storeBytes: number;
  readonly factsDays: number;
  readonly replicas: number;
}

export const STREAMS = {
  uploads: 'UPLOADS',
  jobs: 'JOBS',
  transcripts: 'TRANSCRIPTS',
  /** The key-value bucket `workers`. */
  workers: 'KV_workers',
  /** The key-value bucket `spend`. */
  spend: 'KV_spend',
} as const;

/** A worker that has not renewed its state for so long is gone; workers renew it every third of that. */
export const WORKER_STATE_TTL_MS = 15_000;

/** Durable names; operators and autoscalers use them, so they are never renamed. */
export const DURABLES = {
  ingest: 'ingest',
  results: 'results',
  split: (lane: Lane) => `split-${lane}`,
  chunk: (engine: string, lane: Lane) => `chunk-${engine}-${lane}`,
} as const;

const DEFAULT_MAX_ACK_PENDING = 1000;

/** How a cap is shared: high ⌈20 %⌉, low ⌈10 %⌉, normal the rest. Throws below 3: a lane would get nothing. */
export function shareCap(cap: number): Record<Lane, number> {
  if (!Number.isInteger(cap) || cap < 3) throw new RangeError('a cap is a whole number of at least 3');
  const high = Math.ceil(cap * 0.2);
  const low = Math.ceil(cap * 0.1);
  return { high, normal: cap - high - low, low };
}

/** A lane of cutting or of one engine, by the durable consumer that serves it. */
export interface JobLane {
  readonly durable: string;
  readonly stage: 'split' | 'chunk';
  /** Null for cutting. */
  readonly engine: string | null;
  readonly lane: Lane;
  readonly filter_subject: string;
  /** The cap that the settings give it. */
  readonly max_ack_pending: number;
}

/** Every lane of an installation, cutting first, most urgent first. */
export function jobLanes(settings: Pick<TopologySettings, 'engines' | 'maxAckPending'>): JobLane[] {
  const split = LANES.map((lane) => ({
    durable: DURABLES.split(lane),
    stage: 'split' as const,
    engine: null,
    lane,
    filter_subject: `jobs.split.${lane}.>`,
    max_ack_pending: DEFAULT_MAX_ACK_PENDING,
  }));
  const chunk = settings.engines.flatMap((engine) => {
    const caps = shareCap(settings.maxAckPending[engine] ?? DEFAULT_MAX_ACK_PENDING);
    return LANES.map((lane) => ({
      durable: DURABLES.chunk(engine, lane),
      stage: 'chunk' as const,
      engine,
      lane,
      filter_subject: `jobs.chunk.${engine}.${lane}.>`,
      max_ack_pending: caps[lane],
    }));
  });
  return [...split, ...chunk];
}

/** All streams and consumers of an installation. Pure: the same settings give the same data. */
export function topology(settings: TopologySettings): Topology {
  const share = (part: number) => Math.floor(settings.storeBytes * part);
  const ackWait = settings.ackWaitSeconds * 1000;
  return {
    streams: [
      {
        name: STREAMS.uploads,
        subjects: ['uploads.*'],
        retention: 'workqueue',
        discard: 'new',
        max_bytes: share(0.1),
        max_age_ms: 0,
        max_msgs_per_subject: -1,
        allow_msg_schedules: false,
        replicas: settings.replicas,
      },
      {
        // No discard-new: the broker refuses message schedules in such a stream.
        name: STREAMS.jobs,
        subjects: ['jobs.>'],
        retention: 'workqueue',
        discard: 'old',
        max_bytes: -1,
        max_age_ms: 0,
        max_msgs_per_subject: -1,
        allow_msg_schedules: true,
        replicas: settings.replicas,
      },
      {
        name: STREAMS.transcripts,
        subjects: ['transcripts.>'],
        retention: 'limits',
        discard: 'new',
        max_bytes: share(0.4),
        max_age_ms: settings.factsDays * 86_400_000,
        max_msgs_per_subject: -1,
        allow_msg_schedules: false,
        replicas: settings.replicas,
      },
      {
        // A mirror that workers keep up to date: old entries may go, and all of it may be lost.
        name: STREAMS.workers,
        subjects: ['$KV.workers.>'],
        retention: 'limits',
        discard: 'old',
        max_bytes: share(0.01),
        max_age_ms: WORKER_STATE_TTL_MS,
        max_msgs_per_subject: 1,
        allow_msg_schedules: false,
        replicas: settings.replicas,
      },
      {
        // A mirror that results makes again from its tables.
        name: STREAMS.spend,
        subjects: ['$KV.spend.>'],
        retention: 'limits',
        discard: 'old',
        max_bytes: share(0.02),
        max_age_ms: 0,
        max_msgs_per_subject: 1,
        allow_msg_schedules: false,
        replicas: settings.replicas,
      },
    ],
    consumers: [
      {
        stream: STREAMS.uploads,
        durable: DURABLES.ingest,
        filter_subject: 'uploads.*',
        ack_wait_ms: ackWait,
        max_ack_pending: DEFAULT_MAX_ACK_PENDING,
      },
      ...jobLanes(settings).map(({ durable, filter_subject, max_ack_pending }) => ({
        stream: STREAMS.jobs,
        durable,
        filter_subject,
        ack_wait_ms: ackWait,
        max_ack_pending,
      })),
      {
        stream: STREAMS.transcripts,
        durable: DURABLES.results,
        filter_subject: 'transcripts.>',
        ack_wait_ms: 30_000,
        max_ack_pending: 10_000,
      },
    ],
  };
}
