import { grpc } from 'google-gax';
import type { Hear } from './hear-wav.ts';
import { type OperationEnd, type SpeechOperation, SpeechOperations } from './operations.ts';
import { invalidRequest } from './refuse-request.ts';
import { healthySpeech, type SpeechBehaviour, type SpeechEntry, type SpeechFault } from './speech-book.ts';
import { anyOf, operationsService, retryInfo, speechService } from './speech-protos.ts';
import { durationOf, type FileResult, transcribeFile } from './transcribe-file.ts';

type Json = Record<string, unknown>;
type Answer = grpc.sendUnaryData<Json>;
type Call = grpc.ServerUnaryCall<Json, Json>;

/** Where the server finds sound and puts text: objects by their `gs://` addresses. */
export interface SpeechObjects {
  read(uri: string): Promise<Buffer | undefined>;
  write(uri: string, bytes: Buffer): Promise<void>;
}

export interface SpeechServerOptions {
  readonly objects: SpeechObjects;
  /** Default: words that are a hash of the sound. */
  readonly hear?: Hear | undefined;
}

const SPEECH = 'google.cloud.speech.v2';
const { status } = grpc;

/** What a file gave, or its own error. */
type Heard = FileResult | { readonly code: number; readonly message: string };

/** Speech-to-Text v2 on a port of this machine, by the vendor's own protos; it takes money for every call it gets. */
export class SpeechServer {
  readonly #options: SpeechServerOptions;
  readonly #server = new grpc.Server();
  readonly #operations = new SpeechOperations();
  readonly #book: SpeechEntry[] = [];
  #behaviour: SpeechBehaviour = healthySpeech;
  #faults: (SpeechFault | undefined)[] = [];
  readonly #forgotten = new Set<string>();
  #made = 0;
  #inFlight = 0;
  #peak = 0;
  #port = 0;

  static async start(options: SpeechServerOptions): Promise<SpeechServer> {
    const server = new SpeechServer(options);
    await server.#listen();
    return server;
  }

  private constructor(options: SpeechServerOptions) {
    this.#options = options;
    this.#server.addService(speechService, {
      batchRecognize: (call: Call, answer: Answer) => void this.#batchRecognize(call.request, answer),
    });
    this.#server.addService(operationsService, {
      getOperation: ({ request }: Call, answer: Answer) => this.#get(String(request.name), answer),
      listOperations: ({ request }: Call, answer: Answer) => this.#list(request, answer),
      cancelOperation: ({ request }: Call, answer: Answer) => this.#cancel(String(request.name), answer),
    });
  }

  /** Host and port, as `GoogleAccess.endpoint` takes them. */
  get endpoint(): string {
    return `127.0.0.1:${this.#port}`;
  }

  behave(change: Partial<SpeechBehaviour>): void {
    this.#behaviour = { ...this.#behaviour, ...change };
    if (change.faults) this.#faults = [...change.faults];
    if (change.operationMs !== undefined) this.#operations.retime(change.operationMs);
  }

  /** Everything it was ever asked, oldest first. */
  book(): readonly SpeechEntry[] {
    return this.#book;
  }

  /** The calls that cost money. */
  bill(): SpeechEntry[] {
    return this.#book.filter(({ billed }) => billed);
  }

  /** Operations that run, and the most that ever did at once. */
  inFlight(): { now: number; peak: number } {
    return { now: this.#inFlight, peak: this.#peak };
  }

  async close(): Promise<void> {
    this.#operations.stop();
    this.#server.forceShutdown();
  }

  async #listen(): Promise<void> {
    const insecure = grpc.ServerCredentials.createInsecure();
    this.#port = await new Promise((resolve, reject) => {
      this.#server.bindAsync('127.0.0.1:0', insecure, (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
  }

  async #batchRecognize(request: Json, answer: Answer): Promise<void> {
    const { outOfQuota } = this.#behaviour;
    const fault = outOfQuota ? 'quota' : this.#faults.shift();
    const { audio, key } = addressesOf(request);
    const refusal = this.#refusal(fault, request);
    if (refusal) {
      this.#note('call', { key, audio, fault });
      answer(refusal);
      return;
    }
    this.#made += 1;
    const parent = String(request.recognizer).replace(/\/recognizers\/.*$/, '');
    const name = `${parent}/operations/${this.#made}`;
    const heard = await this.#hear(request, audio);
    this.#inFlight += 1;
    this.#peak = Math.max(this.#peak, this.#inFlight);
    const billedMs = 'billedMs' in heard ? heard.billedMs : 0;
    this.#note('call', { key, audio, fault, operation: name, billed: true, billedMs });
    this.#operations.start(name, request, {
      ms: this.#behaviour.operationMs,
      visibleAfterMs: this.#behaviour.visibleAfterMs,
      finish: () => this.#finish(request, audio, heard, fault),
      ended: () => {
        this.#inFlight -= 1;
      },
    });
    if (fault === 'forget') this.#forgotten.add(name);
    if (fault === 'hang_after') return;
    if (fault === 'lose_reply') answer({ code: status.UNAVAILABLE, details: 'the connection was lost' });
    else answer(null, { name, done: false, metadata: metadataOf(request) });
  }

  #refusal(fault: SpeechFault | undefined, request: Json): Partial<grpc.StatusObject> | undefined {
    const invalid = invalidRequest(request);
    if (invalid) return { code: status.INVALID_ARGUMENT, details: invalid };
    if (fault === 'drop') return { code: status.UNAVAILABLE, details: 'no backend' };
    if (fault === 'refuse') return { code: status.INVALID_ARGUMENT, details: 'the request is not valid' };
    if (fault === 'no_model') return { code: status.NOT_FOUND, details: 'there is no such model here' };
    return fault === 'quota' ? this.#outOfQuota() : undefined;
  }

  #outOfQuota(): Partial<grpc.StatusObject> {
    const metadata = new grpc.Metadata();
    const details = 'quota exceeded';
    const info = retryInfo(status.RESOURCE_EXHAUSTED, details, this.#behaviour.retryAfterMs);
    metadata.set('grpc-status-details-bin', info);
    return { code: status.RESOURCE_EXHAUSTED, details, metadata };
  }

  async #hear(request: Json, audio: string): Promise<Heard> {
    try {
      const bytes = await this.#options.objects.read(audio);
      if (!bytes) return { code: status.NOT_FOUND, message: `there is no ${audio}` };
      return transcribeFile(bytes, (request.config ?? {}) as object, this.#options.hear);
    } catch (error) {
      return { code: status.INVALID_ARGUMENT, message: (error as Error).message };
    }
  }

  async #finish(
    request: Json,
    audio: string,
    heard: Heard,
    fault: SpeechFault | undefined,
  ): Promise<OperationEnd> {
    const [layer, failure = ''] = fault?.split(' ') ?? [];
    const code = status[failure as keyof typeof status];
    if (layer === 'operation') return { error: { code, message: 'the operation failed' } };
    if (layer === 'file') return { response: fileError(audio, code, 'the file failed') };
    if (!('results' in heard)) return { response: fileError(audio, heard.code, heard.message) };
    const totalBilledDuration = durationOf(heard.billedMs);
    const transcript = { results: heard.results, metadata: { totalBilledDuration } };
    const output = outputOf(request);
    if (!output)
      return { response: { results: { [audio]: { inlineResult: { transcript } } }, totalBilledDuration } };
    const uri = `${output}/transcript_${this.#made}.json`;
    await this.#options.objects.write(uri, Buffer.from(JSON.stringify(transcript, asProtoJson)));
    return { response: { results: { [audio]: { cloudStorageResult: { uri } } }, totalBilledDuration } };
  }

  #get(name: string, answer: Answer): void {
    this.#note('get', { operation: name });
    if (this.#behaviour.silent) return;
    const operation = this.#forgotten.has(name) ? undefined : this.#operations.get(name);
    if (this.#behaviour.busy) answer(this.#outOfQuota());
    else if (operation) answer(null, operationOf(operation));
    else answer({ code: status.NOT_FOUND, details: `there is no operation ${name}` });
  }

  #list({ pageSize, pageToken }: Json, answer: Answer): void {
    this.#note('list', {});
    if (this.#behaviour.silent) return;
    if (this.#behaviour.busy) {
      answer(this.#outOfQuota());
      return;
    }
    const all = this.#operations.list();
    const from = Number(pageToken || 0);
    const to = from + Math.min(Number(pageSize) || 100, 100);
    const operations = all.slice(from, to).map(operationOf);
    answer(null, { operations, nextPageToken: to < all.length ? String(to) : '' });
  }

  #cancel(name: string, answer: Answer): void {
    this.#note('cancel', { operation: name });
    if (this.#behaviour.silent) return;
    this.#operations.cancel(name);
    answer(null, {});
  }

  #note(kind: SpeechEntry['kind'], what: Partial<SpeechEntry>): void {
    const { operation, key = '', audio = '', billed = false, billedMs = 0, fault } = what;
    this.#book.push({ at: Date.now(), kind, operation, key, audio, billed, billedMs, fault });
  }
}

function addressesOf(request: Json): { audio: string; key: string } {
  const [file] = (request.files ?? []) as { uri: string }[];
  const audio = file?.uri ?? '';
  return { audio, key: outputOf(request) ?? audio };
}

const outputOf = (request: Json) =>
  (request.recognitionOutputConfig as { gcsOutputConfig?: { uri: string } } | undefined)?.gcsOutputConfig
    ?.uri;

const metadataOf = (request: Json) =>
  anyOf(`${SPEECH}.OperationMetadata`, { batchRecognizeRequest: request });

const fileError = (audio: string, code: number, message: string): Json => ({
  results: { [audio]: { error: { code, message } } },
});

function operationOf({ name, request, end }: SpeechOperation): Json {
  const metadata = metadataOf(request);
  if (!end) return { name, metadata, done: false };
  if ('error' in end) return { name, metadata, done: true, error: end.error };
  return { name, metadata, done: true, response: anyOf(`${SPEECH}.BatchRecognizeResponse`, end.response) };
}

/** Durations are strings in the JSON of the protos. */
function asProtoJson(_: string, value: unknown): unknown {
  const { seconds, nanos } = (value ?? {}) as { seconds?: number; nanos?: number };
  return seconds === undefined || nanos === undefined ? value : `${seconds + nanos / 1e9}s`;
}
