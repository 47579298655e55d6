import Type, { type Static } from 'typebox';
import { LaneSchema } from '../names.ts';

const orNull = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const count = () => Type.Integer({ minimum: 0 });
/** A lane's part of the queue. */
export const QueueLaneSchema = Type.Object({
  durable: Type.String(),
  stage: Type.Union([Type.Literal('split'), Type.Literal('chunk')]),
  engine: orNull(Type.String()),
  lane: LaneSchema,
  waiting: count(),
  in_flight: count(),
  /** Age of its oldest job that waits or is in work; 0 without any. */
  oldest_seconds: Type.Number(),
  /** Audio of accepted recordings that is not transcribed yet; null for cutting. */
  audio_seconds: orNull(Type.Number()),
  /**
   * False while nothing is taken from it, so that more workers would not help: it is paused, or its engine is down, or out of
   * quota or budget.
   */
  served: Type.Boolean(),
});

/** What to change, and why. It stands for a while: see `steady_until`. */
export const ScalingAdviceSchema = Type.Object({
  workers: Type.Union([Type.Literal('up'), Type.Literal('same'), Type.Literal('down')]),
  workers_wanted: count(),
  concurrency: Type.Union([Type.Literal('raise'), Type.Literal('same'), Type.Literal('lower')]),
  /** So much fails that somebody should look why. */
  investigate: Type.Boolean(),
  reasons: Type.Array(Type.String()),
  /** When the advice became what it is, RFC 3339. */
  changed_at: Type.String(),
  /** Until when it stays so, whatever the figures say, RFC 3339. */
  steady_until: Type.String(),
});
export type ScalingAdvice = Static<typeof ScalingAdviceSchema>;

/** How long the backlog takes at the measured realtime factor; null where that is not known. */
export const ClearanceSchema = Type.Object({
  /** With the slots there are now. */
  minutes: orNull(Type.Number()),
  /** How many workers like those there are clear it within `within_minutes`. */
  workers: orNull(count()),
  within_minutes: Type.Number(),
});
export type Clearance = Static<typeof ClearanceSchema>;

/** What waits, who works, what failed of late, and what to change. */
export const QueueSchema = Type.Object({
  /** Jobs that wait or are in work, as `earshot_queue_length`. */
  queue_length: count(),
  waiting: count(),
  active_tasks: count(),
  /** Jobs that wait for their next attempt. */
  scheduled_tasks: count(),
  /** Dead letters that nobody has dealt with. */
  failed_tasks: count(),
  oldest_seconds: Type.Number(),
  audio_seconds: Type.Number(),
  workers: count(),
  slots: count(),
  /** The busiest worker's, 0 to 1; null while no worker tells. */
  cpu_ratio: orNull(Type.Number()),
  memory_ratio: orNull(Type.Number()),
  /** Chunks given up on of those that ended in the last 15 minutes; null without any. */
  failure_ratio: orNull(Type.Number()),
  /** Engine seconds for a second of audio in that time; null without any. */
  realtime_factor: orNull(Type.Number()),
  lanes: Type.Array(QueueLaneSchema),
  clearance: ClearanceSchema,
  advice: ScalingAdviceSchema,
});
export type Queue = Static<typeof QueueSchema>;
export type QueueFigures = Omit<Queue, 'advice' | 'clearance'>;
