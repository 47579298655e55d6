import type { UsageCheck, UsageGroup, UsagePage, UsageSum } from '@earshot/contracts';
import { type HttpOptions, sendJson } from './http.ts';
import { type ListFilter, pages } from './pages.ts';

/** Which usage; what is left out does not restrict. Days are UTC, `YYYY-MM-DD`, both inclusive. */
export interface UsageFilter {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Of all tenants, or of another one, only for keys with the scope `admin`. */
  readonly tenant?: string | undefined;
  readonly group_by?: UsageGroup | undefined;
}

export type Usage = ReturnType<typeof usageOf>;

/** Which transcripts to compare, by the day they were made; `cursor` is `next_cursor` of the page before. */
export interface CheckFilter extends Omit<UsageFilter, 'group_by'> {
  readonly cursor?: string | undefined;
}

/** What paid engines charged for. */
export const usageOf = (http: HttpOptions) => ({
  /** The first sums with the total of all. */
  get: (filter: UsageFilter & { readonly limit?: number } = {}): Promise<UsagePage> =>
    sendJson(`/v1/usage?${queryOf(filter)}`, http),

  /** All sums by tenant and key, page by page as they are consumed. */
  list: (filter: UsageFilter = {}): AsyncIterable<UsageSum> =>
    pages('/v1/usage', http, { ...filter } as ListFilter),

  /**
   * Compares with the ledger of paid calls a page of transcripts that have ended; `record` takes over what only that knows.
   * For keys with the scope `operate`.
   */
  check: (filter: CheckFilter = {}, record = false): Promise<UsageCheck> =>
    sendJson(`/v1/usage/differences?${queryOf(filter)}`, http, { method: record ? 'POST' : 'GET' }),
});

function queryOf(filter: object): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) if (value !== undefined) query.set(name, String(value));
  return query;
}
