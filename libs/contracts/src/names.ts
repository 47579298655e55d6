import Type, { type Static } from 'typebox';

/** Tenants, engines and lanes: a dot or a star would break subjects and durable names. */
export const NAME_PATTERN = '^[a-z0-9-]{1,32}$';

/** The tenant of publishers that set none. */
export const DEFAULT_TENANT = 'default';

/** Lanes in the order in which work is taken. */
export const LANES = ['high', 'normal', 'low'] as const;

/** The priority a transcript was asked for. */
export type Lane = (typeof LANES)[number];

export const LaneSchema = Type.Union([Type.Literal('high'), Type.Literal('normal'), Type.Literal('low')]);
export const NameSchema = Type.String({ pattern: NAME_PATTERN });
export const TranscriptIdSchema = Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' });

/** `mixed`: one track; `separate`: every track on its own; `auto`: separate when the tracks differ clearly. */
export const ChannelModeSchema = Type.Union([
  Type.Literal('mixed'),
  Type.Literal('separate'),
  Type.Literal('auto'),
]);
export type ChannelMode = Static<typeof ChannelModeSchema>;

/** True for a name that may stand in a subject. */
export function isName(value: string): boolean {
  return new RegExp(NAME_PATTERN).test(value);
}
