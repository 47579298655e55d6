import type {
  Queue,
  Rebuilt,
  RecordingOptions,
  Recovered,
  SubmitRecording,
  Submitted,
  Transcript,
  TranscriptSummary,
} from '@earshot/contracts';
import { TranscriptError } from './client-error.ts';
import { type DeadLetters, deadLettersOf } from './dead-letters.ts';
import { type HttpOptions, send, sendJson } from './http.ts';
import { type Engines, enginesOf, type Lanes, lanesOf, type Workers, workersOf } from './operations.ts';
import { type ListFilter, pages } from './pages.ts';
import { type Usage, usageOf } from './usage.ts';

/** A recording to upload: a Blob (a file-backed one is streamed, not read into memory) and its options. */
export interface Upload extends RecordingOptions {
  readonly file: Blob;
}

export interface CreateOptions {
  /** Repeats with the same key give the same transcript; random when left out. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

export interface WaitOptions {
  readonly signal?: AbortSignal;
  /** Called with every state that was read. */
  readonly onProgress?: (transcript: Transcript) => void;
  /** Milliseconds between reads, at least; default 500. */
  readonly intervalMs?: number;
}

export type TextFormat = 'txt' | 'srt' | 'vtt' | 'json';

const FINAL = new Set(['completed', 'partial', 'failed', 'canceled']);

function uploadForm({ file, ...options }: Upload): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined)
      form.append(name, typeof value === 'object' ? JSON.stringify(value) : String(value));
  }
  form.append('file', file, 'recording');
  return form;
}

const pause = (ms: number, signal: AbortSignal | undefined) =>
  new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });

/** A typed client of the HTTP API: fetch only, so it runs in Node and in browsers. Holds no connections. */
export class Client {
  readonly #http: HttpOptions;
  /** Work that was given up on. */
  readonly deadLetters: DeadLetters;
  readonly lanes: Lanes;
  readonly engines: Engines;
  readonly workers: Workers;
  readonly usage: Usage;

  constructor(options: HttpOptions) {
    this.#http = options;
    this.deadLetters = deadLettersOf(options);
    this.lanes = lanesOf(options);
    this.engines = enginesOf(options);
    this.workers = workersOf(options);
    this.usage = usageOf(options);
  }

  /** What waits, and how many workers it needs. */
  queue(): Promise<Queue> {
    return sendJson('/v1/queue', this.#http);
  }

  /** Brings recordings back to work that are stored and have no transcript. May be repeated, and never repeats by itself. */
  recover(): Promise<Recovered> {
    return sendJson('/v1/recover', { ...this.#http, retries: 0 }, { method: 'POST' });
  }

  /** After a loss of the database: re-creates its rows from the facts the broker still holds. Otherwise as `recover`. */
  rebuild(): Promise<Rebuilt> {
    return sendJson('/v1/rebuild', { ...this.#http, retries: 0 }, { method: 'POST' });
  }

  readonly recordings = {
    /** Submits a recording (bytes, or the address of stored ones) and returns its transcript's id. */
    create: async (recording: Upload | SubmitRecording, options: CreateOptions = {}): Promise<Submitted> => {
      const upload = 'file' in recording;
      const answer = await send('/v1/recordings', this.#http, {
        method: 'POST',
        headers: {
          'idempotency-key': options.idempotencyKey ?? crypto.randomUUID(),
          ...(upload ? {} : { 'content-type': 'application/json' }),
        },
        body: upload ? uploadForm(recording as Upload) : JSON.stringify(recording),
        signal: options.signal,
      });
      return JSON.parse(answer) as Submitted;
    },
  };

  readonly transcripts = {
    /** A transcript in whatever state it is. */
    get: (id: string, signal?: AbortSignal): Promise<Transcript> =>
      sendJson(`/v1/transcripts/${encodeURIComponent(id)}`, this.#http, { signal }),

    /** The transcript as text in a format. */
    render: (id: string, format: TextFormat): Promise<string> =>
      send(`/v1/transcripts/${encodeURIComponent(id)}.${format}`, this.#http),

    /** All transcripts that match, newest first, page by page as they are consumed. */
    list: (filter: ListFilter = {}): AsyncIterable<TranscriptSummary> =>
      pages('/v1/transcripts', this.#http, filter),

    /** Ends it for good; its running work stops within a heartbeat. */
    cancel: (id: string): Promise<TranscriptSummary> => this.#act(id, 'cancel'),

    /** Sends a failed or partial one round again, only what is missing of it. */
    retry: (id: string): Promise<TranscriptSummary> => this.#act(id, 'retry'),

    /** Reads until the state is final; throws {@link TranscriptError} when it failed or was canceled. */
    wait: async (id: string, options: WaitOptions = {}): Promise<Transcript> => {
      for (;;) {
        const asked = performance.now();
        const transcript = await this.transcripts.get(id, options.signal);
        options.onProgress?.(transcript);
        if (FINAL.has(transcript.status)) return refuseFailed(transcript);
        // A transcript of hours is megabytes: reading it may take a tenth of the time, not all of it.
        const took = performance.now() - asked;
        await pause(Math.max(options.intervalMs ?? 500, 10 * took), options.signal);
      }
    },
  };

  #act(id: string, action: string): Promise<TranscriptSummary> {
    const path = `/v1/transcripts/${encodeURIComponent(id)}/${action}`;
    return sendJson(path, this.#http, { method: 'POST' });
  }
}

function refuseFailed(transcript: Transcript): Transcript {
  if (transcript.status !== 'failed' && transcript.status !== 'canceled') return transcript;
  const { code, detail } = transcript.error ?? {
    code: transcript.status,
    detail: `the transcript was ${transcript.status}`,
  };
  throw new TranscriptError(transcript.id, code, detail);
}
