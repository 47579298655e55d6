import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { CodedError } from '@earshot/domain';

/** What the vendor answered. */
export interface VendorAnswer {
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  readonly body: unknown;
}

/** One request on a connection of its own, without retries; aborting the signal closes the connection. */
export async function vendorRequest(
  url: string,
  signal: AbortSignal,
  options: { method?: string; body?: unknown } = {},
): Promise<VendorAnswer> {
  try {
    const sent = request(url, { method: options.method ?? 'GET', agent: false, signal });
    // An abort after the answer began is told by the answer, and by the request once more.
    sent.on('error', () => {});
    sent.end(options.body === undefined ? undefined : JSON.stringify(options.body));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const seconds = response.headers['retry-after'];
    return {
      status: response.statusCode ?? 0,
      retryAfterMs: seconds === undefined ? undefined : Number(seconds) * 1000,
      body: JSON.parse(Buffer.concat(chunks).toString()),
    };
  } catch (error) {
    signal.throwIfAborted();
    throw new CodedError('unavailable', `the vendor does not answer: ${String(error)}`, { cause: error });
  }
}
