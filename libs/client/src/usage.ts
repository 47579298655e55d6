import type { UsageGroup, UsagePage, UsageSum } from '@earshot/contracts';
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

/** What paid engines charged for. */
export const usageOf = (http: HttpOptions) => ({
  /** The first sums with the total of all. */
  get: (filter: UsageFilter & { readonly limit?: number } = {}): Promise<UsagePage> => {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(filter))
      if (value !== undefined) query.set(name, String(value));
    return sendJson(`/v1/usage?${query}`, http);
  },

  /** All sums by tenant and key, page by page as they are consumed. */
  list: (filter: UsageFilter = {}): AsyncIterable<UsageSum> =>
    pages('/v1/usage', http, { ...filter } as ListFilter),
});
