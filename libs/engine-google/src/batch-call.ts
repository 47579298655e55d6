import { CodedError, type Segment } from '@earshot/domain';
import type { EngineOptions, LookupCall, OperationState, Refused, StoredAudio } from '@earshot/engine';
import { protos } from '@google-cloud/speech';
import type { SpeechConnection } from './connection.ts';
import { googleError, refusalOf } from './errors.ts';
import { msOf } from './offsets.ts';
import { type Output, readOutput } from './output.ts';
import { readResults } from './read-results.ts';
import { batchRequest, type RequestPlaces, type RequestSettings } from './request.ts';
import type { Staging } from './staging.ts';

const { BatchRecognizeResponse, OperationMetadata } = protos.google.cloud.speech.v2;

/** What a call is made of. */
export interface BatchCallParts {
  readonly connection: SpeechConnection;
  readonly staging: Staging;
  readonly settings: RequestSettings;
  readonly stored: StoredAudio;
  readonly durationMs: number;
  readonly options: EngineOptions;
}

/** What the ledger keeps of a call: the text, and the objects in the staging bucket that nobody needs once it is kept. */
export interface BatchResult {
  readonly segments: readonly Segment[];
  readonly left: readonly string[];
}

/** Larger answers than this many channel minutes do not fit into a message of gRPC. */
const INLINE_MS = 60 * 60_000;

/** One file given to `BatchRecognize`, which can be found again by its output address, or that of its staged sound. */
export function batchCall(parts: BatchCallParts): LookupCall<BatchResult> {
  const { connection, settings } = parts;
  const operations = () => connection.client().operationsClient;
  return {
    billing: 'lookup',
    call: (outputUri, signal) => place(parts, outputUri, signal),
    find: async (outputUri, signal) => {
      const marks = marksOf(parts, outputUri);
      try {
        const list = operations().listOperationsAsync(
          protos.google.longrunning.ListOperationsRequest.create({ name: settings.parent, pageSize: 1000 }),
          { autoPaginate: false },
        );
        for await (const { name, metadata } of list) {
          signal.throwIfAborted();
          if (name && metadata?.value && isMarked(metadata.value, marks)) return name;
        }
        return undefined;
      } catch (error) {
        throw googleError(error);
      }
    },
    poll: (operation) => poll(parts, operation),
    cancel: async (operation) => {
      const request = protos.google.longrunning.CancelOperationRequest.create({ name: operation });
      await operations()
        .cancelOperation(request)
        .catch((error) => Promise.reject(googleError(error)));
    },
  };
}

async function place(
  { connection, staging, settings, stored, durationMs, options }: BatchCallParts,
  outputUri: string,
  signal: AbortSignal,
): Promise<{ operation: string } | Refused> {
  const cut = () => void connection.cut();
  try {
    const audio = stored.uri ?? (await staging.bring(outputUri, stored));
    const inline = stored.uri === undefined && durationMs * stored.channels.length <= INLINE_MS;
    const places: RequestPlaces = inline ? { audio } : { audio, output: staging.addressOf(outputUri) };
    signal.throwIfAborted();
    signal.addEventListener('abort', cut, { once: true });
    // The client would repeat a call whose answer was lost, and both would be paid for.
    const once = { retry: { retryCodes: [] }, timeout: 60_000, maxRetries: 0 };
    const [operation] = await connection
      .client()
      .batchRecognize(batchRequest(settings, places, stored, options), once);
    if (!operation.name) throw new CodedError('engine_error', 'Google started an operation without a name');
    return { operation: operation.name };
  } catch (error) {
    const refused = refusalOf(error);
    if (refused) return { refused };
    throw googleError(error);
  } finally {
    signal.removeEventListener('abort', cut);
  }
}

/** Either of them belongs to this call alone. */
const marksOf = ({ staging, stored }: BatchCallParts, outputUri: string): ReadonlySet<string> =>
  new Set([
    staging.addressOf(outputUri),
    ...(stored.uri === undefined ? [staging.soundAddress(outputUri)] : []),
  ]);

function isMarked(metadata: Uint8Array | string, marks: ReadonlySet<string>): boolean {
  const { batchRecognizeRequest: request } = OperationMetadata.decode(metadata as Uint8Array);
  const output = request?.recognitionOutputConfig?.gcsOutputConfig?.uri;
  return marks.has(output ?? '') || (request?.files ?? []).some(({ uri }) => marks.has(uri ?? ''));
}

async function poll(parts: BatchCallParts, name: string): Promise<OperationState<BatchResult>> {
  const request = protos.google.longrunning.GetOperationRequest.create({ name });
  const [operation] = await parts.connection
    .client()
    .operationsClient.getOperation(request)
    .catch((error) => Promise.reject(googleError(error)));
  if (!operation.done) return { state: 'running' };
  if (operation.error) return { state: 'failed', error: googleError(operation.error) };
  const { results, totalBilledDuration } = BatchRecognizeResponse.decode(
    operation.response?.value as Uint8Array,
  );
  const [[audio, file] = ['', undefined]] = Object.entries(results);
  const billed_ms = msOf(totalBilledDuration) ?? msOf(file?.metadata?.totalBilledDuration);
  // The operation succeeds all the same.
  if (file?.error) return { state: 'failed', error: googleError(file.error), billed_ms };
  const output: Output = await readOutput(parts.staging, file);
  const segments = readResults(output.results, parts.stored.channels, parts.durationMs);
  const staged = parts.stored.uri === undefined ? [audio] : [];
  return { state: 'done', result: { segments, left: [...output.left, ...staged] }, billed_ms };
}
