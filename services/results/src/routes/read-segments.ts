import { CodedError, inOrder, type Segment } from '@earshot/domain';
import type { Database } from '../store/database.ts';
import { loadSegments, type PlanKey } from '../store/sql/chunks.ts';

/** About half an hour of speech, some hundred kilobytes. */
const PAGE_CHUNKS = 32;

/** The segments of a plan, page by page, so that a reader of any recording holds one page. */
export class SegmentReader {
  readonly #database: Database;
  readonly #plan: PlanKey;
  readonly #numbers: readonly number[];
  #first: Segment[] | undefined;

  /** `numbers` are the chunks that are there: a stored chunk never changes, so all passes read the same. */
  constructor(database: Database, plan: PlanKey, numbers: readonly number[]) {
    this.#database = database;
    this.#plan = plan;
    this.#numbers = numbers;
  }

  /** Reads the first page; what fails then fails before an answer has begun. */
  async prepare(): Promise<void> {
    this.#first ??= await this.#page(0);
  }

  /** In order, those that hold text. May be called again; a recording of one page is read once. */
  async *all(): AsyncGenerator<Segment, void> {
    await this.prepare();
    yield* this.#first ?? [];
    for (let at = PAGE_CHUNKS; at < this.#numbers.length; at += PAGE_CHUNKS) yield* await this.#page(at);
  }

  async #page(at: number): Promise<Segment[]> {
    const numbers = this.#numbers.slice(at, at + PAGE_CHUNKS);
    if (numbers.length === 0) return [];
    const chunks = await this.#database.read((tx) => loadSegments(tx, this.#plan, numbers));
    if (chunks.length < numbers.length) throw new CodedError('gone', 'the transcript was deleted meanwhile');
    return chunks.flatMap(inOrder);
  }
}
