import type {
  RecordingOptions,
  SubmitRecording,
  Submitted,
  Transcript,
  TranscriptPage,
  TranscriptSummary,
} from '@earshot/contracts';
import { TranscriptError } from './client-error.ts';
import { type HttpOptions, send } from './http.ts';

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
export type ListFilter = Readonly<Record<string, string | number | undefined>>;

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

  constructor(options: HttpOptions) {
    this.#http = options;
  }

  readonly recordings = {
    /** Submits a recording (bytes, or the address of stored ones) and returns its transcript's id. */
    create: async (recording: Upload | SubmitRecording, options: CreateOptions = {}): Promise<Submitted> => {
      const upload = 'file' in recording;
      const response = await send('/v1/recordings', this.#http, {
        method: 'POST',
        headers: {
          'idempotency-key': options.idempotencyKey ?? crypto.randomUUID(),
          ...(upload ? {} : { 'content-type': 'application/json' }),
        },
        body: upload ? uploadForm(recording as Upload) : JSON.stringify(recording),
        signal: options.signal,
      });
      return (await response.json()) as Submitted;
    },
  };

  readonly transcripts = {
    /** A transcript in whatever state it is. */
    get: async (id: string, signal?: AbortSignal): Promise<Transcript> => {
      const response = await send(`/v1/transcripts/${encodeURIComponent(id)}`, this.#http, { signal });
      return (await response.json()) as Transcript;
    },

    /** The transcript as text in a format. */
    render: async (id: string, format: TextFormat): Promise<string> => {
      const response = await send(`/v1/transcripts/${encodeURIComponent(id)}.${format}`, this.#http);
      return response.text();
    },

    /** All transcripts that match, newest first, page by page as they are consumed. */
    list: (filter: ListFilter = {}): AsyncIterable<TranscriptSummary> => this.#pages(filter),

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

  async *#pages(filter: ListFilter): AsyncGenerator<TranscriptSummary> {
    let cursor: string | null = null;
    do {
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries({ ...filter, cursor })) {
        if (value !== undefined && value !== null) query.set(name, String(value));
      }
      const response = await send(`/v1/transcripts?${query}`, this.#http);
      const page = (await response.json()) as TranscriptPage;
      yield* page.data;
      cursor = page.next_cursor;
    } while (cursor !== null);
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
