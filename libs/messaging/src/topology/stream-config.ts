import type { StreamSpec } from '@earshot/contracts';

/** A stream's configuration in the broker's words; durations are nanoseconds. Fields we do not name are kept as they are. */
export type StreamConfig = ReturnType<typeof streamConfig> & { readonly first_seq?: number };

const NANOS = 1_000_000;

/** What `spec` asks of the broker. Message ids are not our dedupe, so their window is as small as can be useful. */
export function streamConfig(spec: StreamSpec) {
  const maxAge = spec.max_age_ms * NANOS;
  return {
    name: spec.name,
    subjects: [...spec.subjects],
    retention: spec.retention,
    discard: spec.discard,
    storage: 'file',
    max_bytes: spec.max_bytes,
    max_age: maxAge,
    max_msgs_per_subject: spec.max_msgs_per_subject,
    duplicate_window: maxAge > 0 ? Math.min(1_000 * NANOS, maxAge) : 1_000 * NANOS,
    num_replicas: spec.replicas,
    allow_msg_schedules: spec.allow_msg_schedules,
    // Schedules force rollups on; elsewhere a publisher's header must not be able to empty the stream.
    allow_rollup_hdrs: spec.allow_msg_schedules,
    allow_direct: false,
  };
}
