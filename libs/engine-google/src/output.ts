import { CodedError } from '@earshot/domain';
import type { protos } from '@google-cloud/speech';
import type { VendorResult } from './read-results.ts';
import type { Staging } from './staging.ts';

/** The results of a file, and the address of the object they were in. */
export interface Output {
  readonly results: readonly VendorResult[];
  readonly left: readonly string[];
}

/** The results of a file wherever they were written; silence has none. */
export async function readOutput(
  staging: Staging,
  file: protos.google.cloud.speech.v2.IBatchRecognizeFileResult | undefined,
): Promise<Output> {
  const uri = file?.cloudStorageResult?.uri;
  if (uri) {
    const { results = [] } = JSON.parse((await staging.read(uri)).toString()) as { results?: VendorResult[] };
    return { results, left: [uri] };
  }
  const transcript = file?.inlineResult?.transcript;
  if (!transcript) throw new CodedError('engine_error', 'the operation ended without a result');
  return { results: transcript.results ?? [], left: [] };
}
