import Type, { type Static } from 'typebox';
import { ChannelModeSchema, LaneSchema, NameSchema } from '../names.ts';

/** The CloudEvents type of an upload event. Any program may publish it. */
export const RECORDING_UPLOADED = 'earshot.recording.uploaded.v1';

/** What the publisher may ask for beside the address; the multipart door takes fields of the same names. */
export const RecordingOptionsSchema = Type.Object({
  session_id: Type.Optional(
    Type.String({ maxLength: 256, description: "The publisher's own id; returned untouched." }),
  ),
  language: Type.Optional(
    Type.String({ pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$', description: 'BCP 47 tag.' }),
  ),
  engine: Type.Optional(NameSchema),
  fallback_engine: Type.Optional(NameSchema),
  priority: Type.Optional(LaneSchema),
  channels: Type.Optional(ChannelModeSchema),
  diarization: Type.Optional(Type.Boolean()),
  vocabulary: Type.Optional(Type.Array(Type.String({ maxLength: 100 }), { maxItems: 500 })),
  webhook_url: Type.Optional(Type.String({ maxLength: 2048, pattern: '^https?://' })),
  metadata: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), { description: 'At most 16 KB as JSON; returned untouched.' }),
  ),
  expires_in_seconds: Type.Optional(Type.Integer({ minimum: 60, maximum: 315_360_000 })),
});
export type RecordingOptions = Static<typeof RecordingOptionsSchema>;

/** The data of an upload event. Names it does not know are ignored with a warning. */
export const RecordingUploadedSchema = Type.Object({
  uri: Type.String({
    minLength: 1,
    maxLength: 2048,
    description: 'A storage key under the tenant, or an https:, gs: or s3: address.',
  }),
  ...RecordingOptionsSchema.properties,
});
export type RecordingUploaded = Static<typeof RecordingUploadedSchema>;

/** The short form that a task queue's caller already has: a session and an object. */
export const SessionUploadSchema = Type.Object({
  session_id: Type.String({ minLength: 1, maxLength: 256 }),
  gcs_path: Type.String({ minLength: 1, maxLength: 2048 }),
});
export type SessionUpload = Static<typeof SessionUploadSchema>;

/** Namespace of transcript ids: UUIDv5 of `tenant`, CloudEvents `source` and `id` joined by newlines. */
export const TRANSCRIPT_NAMESPACE = '6f0b2c1e-6a0e-5d0b-9a51-2f6c3f3b7a11';

/** Largest `metadata`, in bytes of JSON. */
export const MAX_METADATA_BYTES = 16 * 1024;
