import Type, { type Static } from 'typebox';
import { LaneSchema } from '../names.ts';

const orNull = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** A lane of an engine (`chunk`) or of cutting (`split`): one durable consumer and its levers. */
export const LaneStateSchema = Type.Object({
  /** The durable consumer's name, e.g. `chunk-sherpa-high`. */
  durable: Type.String(),
  stage: Type.Union([Type.Literal('split'), Type.Literal('chunk')]),
  engine: orNull(Type.String()),
  lane: LaneSchema,
  waiting: Type.Integer({ minimum: 0 }),
  in_flight: Type.Integer({ minimum: 0 }),
  /** Jobs in flight at most, over all workers. */
  max_ack_pending: Type.Integer({ minimum: 1 }),
  paused: Type.Boolean(),
});
export type LaneState = Static<typeof LaneStateSchema>;

/** An engine's cap: what was asked for, and what quota errors left of it for now. */
export const EngineCapSchema = Type.Object({
  engine: Type.String(),
  max_ack_pending: Type.Integer({ minimum: 1 }),
  effective: Type.Integer({ minimum: 1 }),
  /** When quota errors lowered it last, RFC 3339. */
  lowered_at: orNull(Type.String()),
  /** Until when its lanes are paused, where even the lowest cap was refused, RFC 3339. */
  paused_until: orNull(Type.String()),
});
export type EngineCap = Static<typeof EngineCapSchema>;

export const LanesSchema = Type.Object({
  lanes: Type.Array(LaneStateSchema),
  engines: Type.Array(EngineCapSchema),
});
export type Lanes = Static<typeof LanesSchema>;

/** What can be changed of a lane while work goes on. */
export const LaneChangeSchema = Type.Object(
  {
    max_ack_pending: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
    paused: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false, minProperties: 1 },
);
export type LaneChange = Static<typeof LaneChangeSchema>;

/** A new cap of an engine, shared over its lanes: less than one for each lane is refused with the reason. */
export const EngineChangeSchema = Type.Object(
  { max_ack_pending: Type.Integer({ maximum: 100_000, description: 'At least 3.' }) },
  { additionalProperties: false },
);
export type EngineChange = Static<typeof EngineChangeSchema>;
