import { CodedError } from '@earshot/domain';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/schema';
import { WarningSchema } from '../accepted/message.ts';
import { ChannelModeSchema, LaneSchema, NameSchema, TranscriptIdSchema } from '../names.ts';
import { RecordingOptionsSchema } from '../recording-uploaded/message.ts';

/** The create-only document that decides what a transcript id stands for; everything can be built again from it. */
export const ManifestSchema = Type.Object({
  kind: Type.Literal('recording'),
  tenant_id: NameSchema,
  transcript_id: TranscriptIdSchema,
  /** CloudEvents source and id of the upload event, from which the transcript id follows. */
  source: Type.String(),
  event_id: Type.String(),
  /** Storage key of the recording. */
  uri: Type.String(),
  /** Known only when the bytes came through us. */
  size_bytes: Type.Optional(Type.Integer({ minimum: 1 })),
  sha256: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
  engine: NameSchema,
  lane: LaneSchema,
  channels: ChannelModeSchema,
  /** As the caller gave them; `engine`, `lane` and `channels` above hold what was made of them. */
  options: RecordingOptionsSchema,
  warnings: Type.Array(WarningSchema),
  created_at: Type.String(),
});
export type Manifest = Static<typeof ManifestSchema>;

/** What stands in a manifest's place after its transcript was deleted, so that its upload event stays answered. */
export const TombstoneSchema = Type.Object({
  kind: Type.Literal('deleted'),
  tenant_id: NameSchema,
  transcript_id: TranscriptIdSchema,
  deleted_at: Type.String(),
});
export type Tombstone = Static<typeof TombstoneSchema>;

const manifest = Compile(ManifestSchema);
const tombstone = Compile(TombstoneSchema);

/** Reads the bytes of a manifest or tombstone; throws `unreadable_message` when they are neither. */
export function parseManifest(json: string): Manifest | Tombstone {
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch (cause) {
    throw new CodedError('unreadable_message', 'a manifest is not JSON', { cause });
  }
  if (manifest.Check(document)) return document;
  if (tombstone.Check(document)) return document;
  throw new CodedError('unreadable_message', 'a manifest does not match its schema');
}
