import { noise } from './recording.ts';

/** One request and its answer. */
export interface Knock {
  readonly at: number;
  readonly ms: number;
  /** 0: no answer within `PATIENCE_MS`. */
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: {
    readonly id?: string;
    readonly code?: string;
    readonly checks?: Readonly<Record<string, { readonly ok: boolean; readonly error?: string }>>;
  };
}

/** Longer than any answer may take. */
export const PATIENCE_MS = 20_000;

/** Sends a request; an answer that does not come in time is status 0. */
export async function knock(url: string, init: RequestInit = {}): Promise<Knock> {
  const at = Date.now();
  const started = performance.now();
  const ms = () => Math.round(performance.now() - started);
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) });
    const body = (await response.json()) as Knock['body'];
    return { at, ms: ms(), status: response.status, retryAfter: response.headers.get('retry-after'), body };
  } catch (error) {
    return { at, ms: ms(), status: 0, retryAfter: null, body: { code: String(error) } };
  }
}

/** Submits a recording at the door of `url`, with as much metadata as needs room in a table of its own. */
export async function knockWithRecording(url: string, key: string, seed: number): Promise<Knock> {
  const recording = noise(2, seed);
  const note = Buffer.from(await recording.slice(44, 10_000).arrayBuffer()).toString('base64');
  const form = new FormData();
  form.append('metadata', JSON.stringify({ note }));
  form.append('file', recording, 'recording');
  return knock(`${url}/v1/recordings`, { method: 'POST', headers: { 'idempotency-key': key }, body: form });
}
