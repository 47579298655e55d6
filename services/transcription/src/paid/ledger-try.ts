import { type PaidDocuments, parsePaidDocument } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { ObjectStorage } from '@earshot/storage';

/** The result of a whole chunk may be large. */
const MAX_BYTES = 256 * 1024 * 1024;

/** One try of a paid call as create-only objects in storage: whoever comes second goes by what the first one wrote. */
export class LedgerTry {
  readonly #storage: ObjectStorage;
  /** The storage key that all its objects have in front. */
  readonly root: string;

  readonly number: number;

  constructor(storage: ObjectStorage, root: string, number: number) {
    this.#storage = storage;
    this.root = root;
    this.number = number;
  }

  /** What was written; undefined while nobody did. */
  async read<Name extends keyof PaidDocuments>(name: Name): Promise<PaidDocuments[Name] | undefined> {
    const bytes = await this.#storage.read(`${this.root}/${name}`, MAX_BYTES);
    if (!bytes) return undefined;
    const document = parsePaidDocument(name, bytes.toString());
    if (document) return document;
    throw new CodedError('storage_error', `${this.root}/${name} is not as the ledger writes it`);
  }

  /** Writes, unless somebody did before, and gives what is written: the argument itself when it is ours. */
  async decide<Name extends keyof PaidDocuments>(
    name: Name,
    document: PaidDocuments[Name],
  ): Promise<PaidDocuments[Name]> {
    const bytes = Buffer.from(JSON.stringify(document));
    if (await this.#storage.create(`${this.root}/${name}`, bytes)) return document;
    const theirs = await this.read(name);
    if (theirs === undefined) throw new CodedError('storage_error', `${this.root}/${name} vanished`);
    return theirs;
  }
}
