import type { ConsumerSpec } from '@earshot/contracts';

const NANOS = 1_000_000;

/** What `spec` asks of the broker, its cap aside; durations are nanoseconds. Waiting pulls outnumber all slots. */
export function consumerConfig(spec: ConsumerSpec) {
  return {
    durable_name: spec.durable,
    filter_subject: spec.filter_subject,
    ack_policy: 'explicit',
    deliver_policy: 'all',
    replay_policy: 'instant',
    ack_wait: spec.ack_wait_ms * NANOS,
    max_deliver: -1,
    max_waiting: 512,
  };
}

/** The cap of a new consumer. Throws below 1: the broker would read 0 as 1000. */
export function firstCap(spec: ConsumerSpec): { max_ack_pending: number } {
  if (spec.max_ack_pending < 1) throw new RangeError(`${spec.durable}: max_ack_pending must be at least 1`);
  return { max_ack_pending: spec.max_ack_pending };
}
