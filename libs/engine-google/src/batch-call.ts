import { CodedError, type Segment } from '@earshot/domain';
import type { EngineOptions, LookupCall, OperationState, Refused, StoredAudio } from '@earshot/engine';
import { protos } from '@google-cloud/speech';
import { Status } from 'google-gax';
import { endedBy, once, unlessAborted } from './ask.ts';
import type { SpeechConnection } from './connection.ts';
import { googleError, operationError, refusalOf } from './errors.ts';
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
  const { connection } = parts;
  const { stored, staging, options } = parts;
  return {
    billing: 'lookup',
    // A dynamic batch is done within a day.
    slow: options.lane === 'low',
    ...(stored.uri === undefined ? { prepare: (root: string) => staging.bring(root, stored) } : {}),
    call: (outputUri, signal) => place(parts, outputUri, signal),
    find: (outputUri, signal) => unlessAborted(find(parts, outputUri, signal), signal),
    poll: (operation, signal) => unlessAborted(poll(parts, operation), signal),
    cancel: (operation, signal) => unlessAborted(cancel(connection, operation), signal),
  };
}

async function find(
  parts: BatchCallParts,
  outputUri: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const marks = marksOf(parts, outputUri);
  const request = { name: parts.settings.parent, pageSize: 1000 };
  try {
    const list = parts.connection
      .client()
      .operationsClient.listOperationsAsync(protos.google.longrunning.ListOperationsRequest.create(request), {
        ...once,
        autoPaginate: false,
      });
    for await (const { name, metadata } of list) {
      signal.throwIfAborted();
      if (name && metadata?.value && isMarked(metadata.value, marks)) return name;
    }
    return undefined;
  } catch (error) {
    throw googleError(error);
  }
}

async function cancel(connection: SpeechConnection, name: string): Promise<void> {
  const request = protos.google.longrunning.CancelOperationRequest.create({ name });
  const { operationsClient } = connection.client();
  await operationsClient.cancelOperation(request, once).catch((error) => Promise.reject(googleError(error)));
}

async function place(
  { connection, staging, settings, stored, durationMs, options }: BatchCallParts,
  outputUri: string,
  signal: AbortSignal,
): Promise<{ operation: string } | Refused> {
  const cut = () => void connection.cut();
  const brought = stored.uri === undefined ? staging.soundOf(outputUri) : undefined;
  try {
    const inline = brought !== undefined && durationMs * stored.channels.length <= INLINE_MS;
    const output = inline ? undefined : staging.textOf(outputUri);
    const places: RequestPlaces = { audio: stored.uri ?? brought ?? '', output };
    signal.throwIfAborted();
    signal.addEventListener('abort', cut, { once: true });
    // The client would repeat a call whose answer was lost, and both would be paid for.
    const [operation] = await connection
      .client()
      .batchRecognize(batchRequest(settings, places, stored, options), {
        ...once,
        ...endedBy(signal),
        timeout: 60_000,
      });
    if (!operation.name) throw new CodedError('engine_error', 'Google started an operation without a name');
    return { operation: operation.name };
  } catch (error) {
    const refused = refusalOf(error);
    if (!refused) throw googleError(error);
    await staging.clear(brought === undefined ? [] : [brought]);
    return { refused };
  } finally {
    signal.removeEventListener('abort', cut);
  }
}

/** Either of them belongs to this call alone. */
const marksOf = ({ staging, stored }: BatchCallParts, outputUri: string): ReadonlySet<string> =>
  new Set([staging.textOf(outputUri), ...(stored.uri === undefined ? [staging.soundOf(outputUri)] : [])]);

function isMarked(metadata: Uint8Array | string, marks: ReadonlySet<string>): boolean {
  const { batchRecognizeRequest: request } = OperationMetadata.decode(metadata as Uint8Array);
  const output = request?.recognitionOutputConfig?.gcsOutputConfig?.uri;
  return marks.has(output ?? '') || (request?.files ?? []).some(({ uri }) => marks.has(uri ?? ''));
}

async function poll(parts: BatchCallParts, name: string): Promise<OperationState<BatchResult>> {
  const operation = await operationOf(parts, name);
  if (!operation) {
    const detail = `Google does not know the operation ${name} any more`;
    return { state: 'failed', error: new CodedError('unclear_call', detail) };
  }
  if (!operation.done) return { state: 'running' };
  if (operation.error) return { state: 'failed', error: operationError(operation.error) };
  const { results, totalBilledDuration } = BatchRecognizeResponse.decode(
    operation.response?.value as Uint8Array,
  );
  const [[audio, file] = ['', undefined]] = Object.entries(results);
  const billed_ms = msOf(totalBilledDuration) ?? msOf(file?.metadata?.totalBilledDuration);
  // The operation succeeds all the same.
  if (file?.error) return { state: 'failed', error: operationError(file.error), billed_ms };
  const output: Output = await readOutput(parts.staging, file);
  const segments = readResults(output.results, parts.stored.channels, parts.durationMs);
  const staged = parts.stored.uri === undefined ? [audio] : [];
  return { state: 'done', result: { segments, left: [...output.left, ...staged] }, billed_ms };
}

/** Undefined when it is so old that it is forgotten. */
async function operationOf({ connection }: BatchCallParts, name: string) {
  const request = protos.google.longrunning.GetOperationRequest.create({ name });
  try {
    const [operation] = await connection.client().operationsClient.getOperation(request, once);
    return operation;
  } catch (error) {
    if ((error as { code?: unknown }).code === Status.NOT_FOUND) return undefined;
    throw googleError(error);
  }
}
