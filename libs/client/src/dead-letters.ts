import type {
  DeadLetter,
  DeadLetterSelection,
  DeadLetterSummary,
  DeadLettersChanged,
} from '@earshot/contracts';
import { type HttpOptions, sendJson } from './http.ts';
import { type ListFilter, pages } from './pages.ts';

export type DeadLetters = ReturnType<typeof deadLettersOf>;

/** Dead letters of the key's tenant. Replaying or discarding twice changes nothing. */
export function deadLettersOf(http: HttpOptions) {
  const act = (path: string, json?: object): Promise<DeadLettersChanged> =>
    sendJson(`/v1/dead-letters/${path}`, http, { method: 'POST', ...(json ? { json } : {}) });
  return {
    /** All that match, newest first, page by page as they are consumed. */
    list: (filter: ListFilter = {}): AsyncIterable<DeadLetterSummary> =>
      pages('/v1/dead-letters', http, filter),

    /** One, with its evidence. */
    get: (id: number): Promise<DeadLetter> => sendJson(`/v1/dead-letters/${id}`, http),

    /** Sends its work round again. */
    replay: (id: number) => act(`${id}/replay`),

    /** Gives it up on purpose: its gap stays. */
    discard: (id: number) => act(`${id}/discard`),

    replayAll: (selection: DeadLetterSelection) => act('replay', selection),
    discardAll: (selection: DeadLetterSelection) => act('discard', selection),
  };
}
