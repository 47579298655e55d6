import Type, { type Static } from 'typebox';
import { WarningSchema } from '../accepted/message.ts';
import { RecordingUploadedSchema } from '../recording-uploaded/message.ts';

/** The JSON form of `POST /v1/recordings`: the data of an upload event. */
export const SubmitRecordingSchema = Type.Object(RecordingUploadedSchema.properties, {
  $id: 'SubmitRecording',
  additionalProperties: true,
});
export type SubmitRecording = Static<typeof SubmitRecordingSchema>;

/** The 202 of `POST /v1/recordings`. */
export const SubmittedSchema = Type.Object(
  {
    id: Type.String(),
    status: Type.Literal('queued'),
    warnings: Type.Array(WarningSchema),
    links: Type.Record(Type.String(), Type.String()),
  },
  { $id: 'Submitted' },
);
export type Submitted = Static<typeof SubmittedSchema>;
