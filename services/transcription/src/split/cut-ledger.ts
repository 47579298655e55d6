import { randomUUID } from 'node:crypto';
import { type Chunk, SAMPLE_RATE, writeWav } from '@earshot/audio';
import { type Cut, CutSchema, type SplitJob } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { type ObjectStorage, storageKeys } from '@earshot/storage';
import { Compile } from 'typebox/schema';

const cutShape = Compile(CutSchema);

/**
 * The cuts of one plan, decided in storage: the first to create `cuts/<plan>-<n>` says where chunk n ends and under which
 * key its audio lies; everybody else goes on from there. So two splitters can never mix two plans.
 */
export class CutLedger {
  /** All decided cuts known so far, in order. */
  readonly cuts: Cut[] = [];
  readonly #storage: ObjectStorage;
  readonly #keys: ReturnType<typeof storageKeys>;
  readonly #plan: number;

  constructor(storage: ObjectStorage, job: Pick<SplitJob, 'tenant_id' | 'transcript_id' | 'plan'>) {
    this.#storage = storage;
    this.#keys = storageKeys(job.tenant_id, job.transcript_id);
    this.#plan = job.plan;
  }

  /** The next cut if somebody has decided it already; it then counts as known. */
  async readNext(): Promise<Cut | undefined> {
    const bytes = await this.#storage.read(this.#cutKey());
    return bytes && this.#keep(bytes);
  }

  /** Stores the proposed chunk and decides the next cut, or gives the one that somebody else decided meanwhile. */
  async decide(chunk: Chunk, channels: number): Promise<{ cut: Cut; ours: boolean }> {
    if (chunk.start_ms !== this.#end())
      throw new CodedError('internal', 'a chunk does not continue its plan');
    const key = this.#keys.chunk(this.#plan, this.cuts.length, randomUUID());
    await this.#storage.put(key, writeWav(chunk.pcm, channels, SAMPLE_RATE));
    const cut: Cut = { start_ms: chunk.start_ms, end_ms: chunk.end_ms, key, channels };
    if (await this.#storage.create(this.#cutKey(), Buffer.from(JSON.stringify(cut)))) {
      this.cuts.push(cut);
      return { cut, ours: true };
    }
    const theirs = await this.readNext();
    if (!theirs) throw new CodedError('storage_error', 'a cut vanished while it was decided');
    // A create that was repeated after a lost answer finds its own cut.
    if (theirs.key !== key) await this.#storage.delete(key);
    return { cut: theirs, ours: theirs.key === key };
  }

  #end(): number {
    return this.cuts.at(-1)?.end_ms ?? 0;
  }

  #cutKey(): string {
    return this.#keys.cut(this.#plan, this.cuts.length);
  }

  #keep(bytes: Buffer): Cut {
    const cut: unknown = JSON.parse(bytes.toString());
    if (!cutShape.Check(cut) || cut.start_ms !== this.#end()) {
      throw new CodedError('storage_error', `the cut ${this.#cutKey()} does not continue its plan`);
    }
    this.cuts.push(cut);
    return cut;
  }
}

/** Told of every cut as soon as it is decided; `ours` is false when somebody else decided it. */
export type OnCut = (n: number, cut: Cut, ours: boolean) => Promise<void>;

/** Takes all cuts that were decided beyond those known. */
export async function adoptDecided(ledger: CutLedger, onCut: OnCut): Promise<void> {
  for (let cut = await ledger.readNext(); cut; cut = await ledger.readNext()) {
    await onCut(ledger.cuts.length - 1, cut, false);
  }
}
