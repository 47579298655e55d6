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

async function problemOf(response: Response): Promise<ClientError> {
  const text = await response.text();
  try {
    return new ClientError(JSON.parse(text) as Problem);
  } catch {
    return new ClientError({
      code: 'internal',
      status: response.status,
      detail: text.slice(0, 500) || response.statusText,
    });
  }
}

async function once(url: URL, options: HttpOptions, request: RequestOptions): Promise<Response> {
  const headers = {
    ...request.headers,
    ...(options.apiKey ? { authorization: `Bearer ${options.apiKey}` } : {}),
  };
  const init: RequestInit = { method: request.method ?? 'GET', headers };
  if (request.body !== undefined) init.body = request.body;
  if (request.signal) init.signal = request.signal;
  const response = await fetch(url, init).catch((error: unknown) => {
    if (request.signal?.aborted) throw error;
    throw new ClientError({ code: 'unreachable', status: 0, detail: `${url.origin} does not answer` }, error);
  });
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** Sends a request; repeats it with backoff and jitter while that can help. Throws {@link ClientError}. */
export async function send(
  path: string,
  options: HttpOptions,
  request: RequestOptions = {},
): Promise<Response> {
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
  const response = await send(path, options, { ...rest, ...body });
  return (await response.json()) as Answer;
}
