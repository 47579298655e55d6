import type { OutgoingMessage } from '@earshot/contracts';
import type { CodedError } from '@earshot/domain';
import type { Broker } from '../connection/broker.ts';
import type { Log } from '../log.ts';
import { type Backoff, defaultBackoff } from './backoff.ts';
import { type EventHandler, eventPolicy, type RawMessage } from './event-policy.ts';
import type { LoopEvents } from './events.ts';
import { type Loop, MessageLoop } from './message-loop.ts';

/** What an event loop is started with; times are milliseconds. */
export interface EventLoopOptions {
  readonly broker: Broker;
  readonly stream: string;
  readonly durable: string;
  /** Messages in work at once; at most the consumer's `max_ack_pending`. */
  readonly slots: number;
  readonly handle: EventHandler;
  /** The fact that keeps a message that was given up on. */
  readonly gaveUp: (message: RawMessage, error: CodedError) => OutgoingMessage;
  readonly settings: {
    /** `ack_wait` of the consumer. */
    readonly ackWaitMs: number;
    /** Deliveries after which an error of class `ours` is given up on; default 20. */
    readonly maxDeliveries?: number;
    /** Delay of the nth redelivery; default 1 s, 4 s, 16 s, 60 s with jitter. */
    readonly backoff?: Backoff;
    readonly guardMs?: number;
  };
  readonly log: Log;
  readonly on?: LoopEvents;
}

/**
 * The loop of `startJobLoop` for raw messages of other programs: `done` publishes and acknowledges, `retry` and `later`
 * ask for redelivery after a delay, `give_up` publishes the fact of `gaveUp` and acknowledges, `interrupted` hands back.
 */
export function startEventLoop(options: EventLoopOptions): Loop {
  const { broker, stream, durable, slots, handle, gaveUp, settings, log, on } = options;
  const policy = eventPolicy({
    broker,
    handle,
    gaveUp,
    maxDeliveries: settings.maxDeliveries ?? 20,
    backoff: settings.backoff ?? defaultBackoff,
    onAlreadyThere: (subject) => on?.alreadyThere?.(subject),
    log,
  });
  const { ackWaitMs, guardMs } = settings;
  return new MessageLoop({ broker, stream, durables: [durable], slots, ackWaitMs, guardMs, policy, log, on });
}
