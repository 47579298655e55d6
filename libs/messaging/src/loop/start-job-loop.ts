import { LANES, type Lane, STREAMS } from '@earshot/contracts';
import type { JobHandler, JobKind } from '@earshot/jobs';
import type { Broker } from '../connection/broker.ts';
import type { Log } from '../log.ts';
import { type Backoff, defaultBackoff } from './backoff.ts';
import type { LoopEvents } from './events.ts';
import { jobPolicy } from './job-policy.ts';
import { type Loop, MessageLoop } from './message-loop.ts';

/** Numbers of a job loop; times are milliseconds. */
export interface JobLoopSettings {
  /** `ack_wait` of the consumers. */
  readonly ackWaitMs: number;
  /** Failed attempts after which a job is given up; default 5. */
  readonly maxAttempts?: number;
  /** Deliveries of one message that count as a failed attempt; default 20. */
  readonly maxDeliveries?: number;
  /** Default: 1 s, 4 s, 16 s, 60 s with jitter. */
  readonly backoff?: Backoff;
  /** How long before its deadline a lease counts as lost; default max(1.2 s, ack_wait / 6). */
  readonly guardMs?: number;
}

/** What a job loop is started with. */
export interface JobLoopOptions<Data> {
  readonly broker: Broker;
  /** Default JOBS. */
  readonly stream?: string;
  /** A durable consumer per lane, or one consumer without lanes. */
  readonly durables: Readonly<Record<Lane, string>> | { readonly single: string };
  /** Jobs in work at once. */
  readonly slots: number;
  readonly kind: JobKind<Data>;
  readonly handler: JobHandler<Data>;
  /** Who works, for the evidence in dead letters. */
  readonly worker: string;
  readonly settings: JobLoopSettings;
  readonly log: Log;
  readonly on?: LoopEvents;
}

/** A running job loop. */
export type JobLoop = Loop;

/**
 * Takes jobs, runs the handler under a lease, publishes its last messages and acknowledges:
 *
 * - `done`: facts and jobs are published first-wins (`gave_up` facts plainly), then the confirmed ack;
 * - `retry`: the job with the next attempt is scheduled after backoff, or `gave_up` after the last attempt, then ack;
 * - `later`: the job with the same attempt is scheduled, then ack;
 * - `give_up`: the fact `gave_up`, then ack;
 * - `interrupted`: handed back at once, no attempt burnt.
 *
 * What cannot be published is postponed without an attempt. A canceled or deleted transcript's job is acknowledged unrun.
 * The caller stops the loop before it closes the broker.
 */
export function startJobLoop<Data>(options: JobLoopOptions<Data>): JobLoop {
  const {
    broker,
    stream = STREAMS.jobs,
    durables,
    slots,
    kind,
    handler,
    worker,
    settings,
    log,
    on,
  } = options;
  const policy = jobPolicy({
    broker,
    kind,
    handler,
    worker,
    maxAttempts: settings.maxAttempts ?? 5,
    maxDeliveries: settings.maxDeliveries ?? 20,
    backoff: settings.backoff ?? defaultBackoff,
    askMs: settings.ackWaitMs / 6,
    onAlreadyThere: (subject) => on?.alreadyThere?.(subject),
    log,
  });
  const names = 'single' in durables ? [durables.single] : LANES.map((lane) => durables[lane]);
  const { ackWaitMs, guardMs } = settings;
  return new MessageLoop({ broker, stream, durables: names, slots, ackWaitMs, guardMs, policy, log, on });
}
