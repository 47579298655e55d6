import { seededRandom } from '@earshot/testkit';

/** What a nemesis does, to whom, and for how long (milliseconds); named as in Jepsen where it has a name for it. */
export type Fault =
  | { readonly kind: 'kill'; readonly target: Victim }
  | { readonly kind: 'stop'; readonly target: Service }
  | { readonly kind: 'pause'; readonly target: Victim; readonly ms: number }
  | { readonly kind: 'partition' | 'slow'; readonly edge: Edge; readonly ms: number }
  | { readonly kind: 'reset' | 'drop'; readonly edge: Edge }
  | { readonly kind: 'down'; readonly target: 'nats' | 'postgres'; readonly ms: number }
  | { readonly kind: 'rolling_restart' }
  | { readonly kind: 'lose_store' }
  | { readonly kind: 'full_disk'; readonly ms: number }
  | { readonly kind: 'lose_replies'; readonly calls: number }
  | { readonly kind: 'refuse_calls'; readonly calls: number }
  | { readonly kind: 'late_results'; readonly chunks: number };

/** Processes of ours; of several of a kind, `n` names one. */
export type Service = `worker-${number}` | `ingest-${number}` | `results-${number}`;
export type Victim = Service | 'nats' | 'postgres';
/** A connection with a proxy on it. */
export type Edge = `${Service}/nats` | `${Service}/postgres`;

/** A fault, and the share of the work (0 to 1) at which it comes: a step of the work, not of the clock. */
export interface Step {
  readonly at: number;
  readonly fault: Fault;
}

export interface ScheduleOptions {
  readonly seed: number;
  readonly workers: number;
  /** kill -9 of any process. */
  readonly kills: number;
  /** Connections cut without a word. */
  readonly partitions: number;
  /** All services stopped and started, one after another. */
  readonly rolling: number;
  /** Everything else, chosen at random. */
  readonly others: number;
  readonly ackWaitMs: number;
  /** Whether the whole JetStream store is deleted once. */
  readonly loseStore: boolean;
  /** Whether the volume of recordings is full once for a while. */
  readonly fullDisk: boolean;
}

/** The same seed and options give the same schedule, in the order of the work. */
export function makeSchedule(options: ScheduleOptions): Step[] {
  const random = seededRandom(options.seed);
  const services: Service[] = [
    ...Array.from({ length: options.workers }, (_, n) => `worker-${n}` as const),
    ...(['ingest-0', 'ingest-1', 'results-0', 'results-1'] as const),
  ];
  const victims: Victim[] = [...services, 'nats', 'postgres'];
  const edges = services.flatMap((service): Edge[] =>
    service.startsWith('results') ? [`${service}/nats`, `${service}/postgres`] : [`${service}/nats`],
  );
  const { ackWaitMs } = options;
  const upTo = (ms: number) => Math.round(ms / 4) + random.below(Math.round((ms * 3) / 4));
  const partition = (): Fault => ({ kind: 'partition', edge: random.pick(edges), ms: upTo(3 * ackWaitMs) });
  const other: readonly (() => Fault)[] = [
    () => ({ kind: 'stop', target: random.pick(services) }),
    () => ({ kind: 'pause', target: random.pick(victims), ms: upTo(2.5 * ackWaitMs) }),
    () => ({ kind: random.pick(['reset', 'drop']), edge: random.pick(edges) }),
    () => ({ kind: 'slow', edge: random.pick(edges), ms: upTo(2 * ackWaitMs) }),
    () => ({ kind: 'down', target: random.pick(['nats', 'postgres']), ms: upTo(2 * ackWaitMs) }),
    () => ({ kind: 'rolling_restart' }),
    () => ({ kind: 'lose_replies', calls: 1 + random.below(5) }),
    () => ({ kind: 'refuse_calls', calls: 1 + random.below(5) }),
    () => ({ kind: 'late_results', chunks: 1 + random.below(20) }),
  ];
  const times = <T>(count: number, make: () => T) => Array.from({ length: count }, make);
  const faults: Fault[] = [
    ...times(options.kills, (): Fault => ({ kind: 'kill', target: random.pick(victims) })),
    ...times(options.partitions, partition),
    ...times(options.rolling, (): Fault => ({ kind: 'rolling_restart' })),
    ...times(options.others, () => random.pick(other)()),
    ...(options.loseStore ? [{ kind: 'lose_store' } as const] : []),
    ...(options.fullDisk ? [{ kind: 'full_disk', ms: upTo(3 * ackWaitMs) } as const] : []),
  ];
  return random
    .shuffled(faults)
    .map((fault) => ({ at: (1 + random.below(900)) / 1000, fault }))
    .sort((a, b) => a.at - b.at);
}

/** Halves of a schedule, for finding the faults that matter when a run failed: try each, go on with one that fails too. */
export function halves(schedule: readonly Step[]): [Step[], Step[]] {
  const middle = Math.ceil(schedule.length / 2);
  return [schedule.slice(0, middle), schedule.slice(middle)];
}

/** One line for a person. */
export function describeStep({ at, fault }: Step): string {
  const { kind, ...about } = fault;
  const words = Object.values(about).map((value) => (typeof value === 'number' ? `${value}` : value));
  return `${(100 * at).toFixed(1).padStart(5)} %  ${kind} ${words.join(' ')}`.trimEnd();
}
