import { TranscriptIdSchema } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { Compile } from 'typebox/schema';

const isId = Compile(TranscriptIdSchema);

/** The answer for what is not there, and for other tenants' transcripts alike. */
export const noTranscript = () => new CodedError('not_found', 'there is no transcript with this id');

/** Returns `id` when it has the form of one; throws `not_found`. */
export function checkId(id: string): string {
  if (!isId.Check(id)) throw noTranscript();
  return id;
}
