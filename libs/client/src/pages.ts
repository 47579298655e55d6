import { type HttpOptions, sendJson } from './http.ts';

/** Query parameters of a list; what is undefined is left out. */
export type ListFilter = Readonly<Record<string, string | number | undefined>>;

/** All items of a list, page by page as they are consumed. */
export async function* pages<Item>(
  path: string,
  options: HttpOptions,
  filter: ListFilter,
): AsyncGenerator<Item> {
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...filter, cursor })) {
      if (value !== undefined && value !== null) query.set(name, String(value));
    }
    const page: { data: Item[]; next_cursor: string | null } = await sendJson(`${path}?${query}`, options);
    yield* page.data;
    cursor = page.next_cursor;
  } while (cursor !== null);
}
