import type { Problem } from '@earshot/contracts';
import { ClientError } from './client-error.ts';

/** Where the API is and how to ask it. */
export interface HttpOptions {
  readonly baseUrl: string;
  readonly apiKey?: string | undefined;
  /** Tries after the first; default 2. */
  readonly retries?: number;
}

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  /** Must be readable again for a repeat: a string or FormData over blobs, not a stream. */
  readonly body?: string | FormData;
  readonly signal?: AbortSignal | undefined;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function problemOf({ status, statusText }: Response, text: string): ClientError {
  try {
    return new ClientError(JSON.parse(text) as Problem);
  } catch {
    return new ClientError({ code: 'internal', status, detail: text.slice(0, 500) || statusText });
  }
}

async function once(url: URL, options: HttpOptions, request: RequestOptions): Promise<string> {
  const headers = {
    ...request.headers,
    ...(options.apiKey ? { authorization: `Bearer ${options.apiKey}` } : {}),
  };
  const init: RequestInit = { method: request.method ?? 'GET', headers };
  if (request.body !== undefined) init.body = request.body;
  if (request.signal) init.signal = request.signal;
  const { response, text } = await answerOf(url, init);
  if (!response.ok) throw problemOf(response, text);
  return text;
}

/** An answer that breaks off in its middle is none. */
async function answerOf(url: URL, init: RequestInit): Promise<{ response: Response; text: string }> {
  try {
    const response = await fetch(url, init);
    return { response, text: await response.text() };
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ClientError({ code: 'unreachable', status: 0, detail: `${url.origin} does not answer` }, error);
  }
}

/** Sends a request and gives the whole answer; repeats it with backoff and jitter while that can help. Throws {@link ClientError}. */
export async function send(
  path: string,
  options: HttpOptions,
  request: RequestOptions = {},
): Promise<string> {
  const url = new URL(path, options.baseUrl);
  const retries = options.retries ?? 2;
  for (let attempt = 0; ; attempt++) {
    try {
      return await once(url, options, request);
    } catch (error) {
      if (!(error instanceof ClientError) || !error.retryable || attempt >= retries) throw error;
      await pause(250 * 2 ** attempt * (0.5 + Math.random()));
    }
  }
}

/** {@link send} with a JSON body, if any, and a JSON answer. */
export async function sendJson<Answer>(
  path: string,
  options: HttpOptions,
  request: Pick<RequestOptions, 'method' | 'signal'> & { readonly json?: object } = {},
): Promise<Answer> {
  const { json, ...rest } = request;
  const body = json ? { body: JSON.stringify(json), headers: { 'content-type': 'application/json' } } : {};
  return JSON.parse(await send(path, options, { ...rest, ...body })) as Answer;
}
