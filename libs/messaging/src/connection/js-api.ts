import { CodedError } from '@earshot/domain';
import { NoAnswer } from './no-answer.ts';
import type { Requests } from './requests.ts';

/** A refusal by the JetStream API, e.g. 10059 for a stream that does not exist. */
export class JsApiError extends Error {
  override readonly name = 'JsApiError';
  readonly code: number;
  readonly errCode: number;

  constructor(error: { code?: number; err_code?: number; description?: string }, subject: string) {
    super(`${subject}: ${error.description ?? 'refused'} (${error.err_code ?? error.code})`);
    this.code = error.code ?? 500;
    this.errCode = error.err_code ?? 0;
  }
}

/** Refusals this package acts on: https://github.com/nats-io/nats-server/blob/main/server/errors.json */
export const ERR = {
  consumerNotFound: 10014,
  messageNotFound: 10037,
  streamNameInUse: 10058,
  streamNotFound: 10059,
  consumerExists: 10148,
  jetStreamNotEnabled: 10076,
  jetStreamNotEnabledForAccount: 10039,
} as const;

/** Raw requests to `$JS.API`, because the client's typed calls drop newer configuration fields. */
export class JsApi {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /**
   * One request, repeated while there is no answer for up to `limitMs` (5 s): every call made through it is a read or
   * idempotent. Throws `JsApiError` on a refusal and `unavailable` when nobody answered.
   */
  async call<Response>(operation: string, body: object = {}, limitMs = 5_000): Promise<Response> {
    const subject = `$JS.API.${operation}`;
    const deadline = performance.now() + limitMs;
    for (;;) {
      try {
        const timeoutMs = Math.min(2_000, limitMs);
        const reply = await this.#requests.request(subject, JSON.stringify(body), { timeoutMs });
        const answer = reply.json<{ error?: { code?: number; err_code?: number; description?: string } }>();
        if (answer.error) throw new JsApiError(answer.error, subject);
        return answer as Response;
      } catch (error) {
        if (error instanceof NoAnswer && error.reason === 'refused')
          throw new CodedError('unavailable', error.message, { cause: error });
        if (!isPassing(error)) throw error;
        if (performance.now() + 100 > deadline) {
          throw new CodedError('unavailable', `JetStream did not answer on ${subject}`, { cause: error });
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
}

const MISSING: readonly number[] = [ERR.streamNotFound, ERR.consumerNotFound, ERR.messageNotFound];

/** The answer to a call, or undefined when the stream, consumer or message that it names does not exist. */
export async function unlessMissing<Response>(call: Promise<Response>): Promise<Response | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof JsApiError && MISSING.includes(error.errCode)) return undefined;
    throw error;
  }
}

/** No answer, or an answer like "JetStream system temporarily unavailable". */
function isPassing(error: unknown): boolean {
  if (error instanceof NoAnswer) return !error.final;
  return error instanceof JsApiError && error.code === 503 && error.errCode !== ERR.jetStreamNotEnabled;
}
