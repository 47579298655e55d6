import { CodedError } from '@earshot/domain';
import type { ObjectStorage } from '@earshot/storage';
import { Compile } from 'typebox/schema';
import { type Answer, AnswerSchema, type Done, DoneSchema, type Intent, IntentSchema } from './documents.ts';

/** The result of a whole chunk may be large. */
const MAX_BYTES = 256 * 1024 * 1024;

const shapes = { intent: Compile(IntentSchema), answer: Compile(AnswerSchema), done: Compile(DoneSchema) };

/** One try of a paid call as create-only objects in storage: whoever comes second goes by what the first one wrote. */
export class LedgerTry {
  readonly #storage: ObjectStorage;
  /** The storage key that all its objects have in front. */
  readonly root: string;

  constructor(storage: ObjectStorage, root: string) {
    this.#storage = storage;
    this.root = root;
  }

  answer(): Promise<Answer | undefined> {
    return this.#read('answer') as Promise<Answer | undefined>;
  }

  done(): Promise<Done | undefined> {
    return this.#read('done') as Promise<Done | undefined>;
  }

  /** Each writes, unless somebody did before, and gives what is written: the argument itself when it is ours. */
  decideIntent(intent: Intent): Promise<Intent> {
    return this.#decide('intent', intent);
  }

  decideAnswer(answer: Answer): Promise<Answer> {
    return this.#decide('answer', answer);
  }

  decideDone(done: Done): Promise<Done> {
    return this.#decide('done', done);
  }

  async #decide<T>(name: keyof typeof shapes, document: T): Promise<T> {
    const bytes = Buffer.from(JSON.stringify(document));
    if (await this.#storage.create(`${this.root}/${name}`, bytes)) return document;
    const theirs = await this.#read(name);
    if (theirs === undefined) throw new CodedError('storage_error', `${this.root}/${name} vanished`);
    return theirs as T;
  }

  async #read(name: keyof typeof shapes): Promise<unknown> {
    const bytes = await this.#storage.read(`${this.root}/${name}`, MAX_BYTES);
    if (!bytes) return undefined;
    const document: unknown = JSON.parse(bytes.toString());
    if (shapes[name].Check(document)) return document;
    throw new CodedError('storage_error', `${this.root}/${name} is not as the ledger writes it`);
  }
}
