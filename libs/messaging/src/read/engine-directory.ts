import { DURABLES, isName, STREAMS } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { EngineDirectory } from '@earshot/jobs';
import { ERR, type JsApi, JsApiError } from '../connection/js-api.ts';

const FRESH_MS = 2_000;

/** Asks the broker whether an engine has its consumers; each answer is kept for 2 s. */
export class BrokerEngineDirectory implements EngineDirectory {
  readonly #api: JsApi;
  readonly #answers = new Map<string, { readonly until: number; readonly answer: Promise<boolean> }>();

  constructor(api: JsApi) {
    this.#api = api;
  }

  /** Throws `unavailable` when that cannot be known now, which includes a missing stream. */
  async hasEngine(engine: string): Promise<boolean> {
    if (!isName(engine)) return false;
    const now = performance.now();
    const known = this.#answers.get(engine);
    if (known && known.until > now) return known.answer;
    for (const [name, { until }] of this.#answers) if (until <= now) this.#answers.delete(name);
    const answer = this.#ask(engine);
    this.#answers.set(engine, { until: now + FRESH_MS, answer });
    answer.catch(() => this.#answers.delete(engine));
    return answer;
  }

  async #ask(engine: string): Promise<boolean> {
    try {
      await this.#api.call(`CONSUMER.INFO.${STREAMS.jobs}.${DURABLES.chunk(engine, 'normal')}`);
      return true;
    } catch (error) {
      if (!(error instanceof JsApiError)) throw error;
      if (error.errCode === ERR.consumerNotFound) return false;
      throw new CodedError('unavailable', error.message, { cause: error });
    }
  }
}
