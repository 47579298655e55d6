import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { SAMPLE_RATE, wavHeader } from '@earshot/audio';
import { type Cut, CutSchema, type SplitJob } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { type ObjectStorage, storageKeys } from '@earshot/storage';
import { Compile } from 'typebox/schema';

const cutShape = Compile(CutSchema);

/** A proposed chunk: a range and its interleaved sound. `tracks` as in `Cut`. */
export interface ProposedChunk {
  readonly start_ms: number;
  readonly end_ms: number;
  readonly pcm: Int16Array;
  readonly channels: number;
  readonly tracks?: readonly number[] | undefined;
}

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
  #version: string | undefined;

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

  /** Says which version of the recording is cut from now on; throws `recording_changed` when the plan is of another one. */
  pin(version: string): void {
    this.#version = version;
    for (const cut of this.cuts) this.#checkVersion(cut);
  }

  /** Stores the proposed chunk and decides the next cut, or gives the one that somebody else decided meanwhile. */
  async decide(chunk: ProposedChunk): Promise<{ cut: Cut; ours: boolean }> {
    const { start_ms, end_ms, pcm, channels, tracks } = chunk;
    if (start_ms !== this.#end()) throw new CodedError('internal', 'a chunk does not continue its plan');
    const key = this.#keys.chunk(this.#plan, this.cuts.length, randomUUID());
    await this.#storage.put(key, wavOf(pcm, channels));
    const decided = await this.#decideCut({
      start_ms,
      end_ms,
      key,
      channels,
      ...(tracks ? { tracks: [...tracks] } : {}),
    });
    // A create that was repeated after a lost answer finds its own cut.
    if (!decided.ours) await this.#storage.delete(key);
    return decided;
  }

  /** Decides that the whole recording is the one cut and stays where it is, or gives what somebody else decided. */
  async decideWhole(
    cut: Pick<Cut, 'end_ms' | 'key' | 'channels' | 'tracks'>,
  ): Promise<{ cut: Cut; ours: boolean }> {
    if (this.#end() !== 0) throw new CodedError('internal', 'a recording is whole only before it is cut');
    return this.#decideCut({ start_ms: 0, ...cut });
  }

  async #decideCut(proposed: Cut): Promise<{ cut: Cut; ours: boolean }> {
    const cut = { ...proposed, ...(this.#version === undefined ? {} : { version: this.#version }) };
    if (await this.#storage.create(this.#cutKey(), Buffer.from(JSON.stringify(cut)))) {
      this.cuts.push(cut);
      return { cut, ours: true };
    }
    const theirs = await this.readNext();
    if (!theirs) throw new CodedError('storage_error', 'a cut vanished while it was decided');
    return { cut: theirs, ours: theirs.key === cut.key };
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
    this.#checkVersion(cut);
    this.cuts.push(cut);
    return cut;
  }

  #checkVersion({ version }: Cut): void {
    if (version === undefined || this.#version === undefined || version === this.#version) return;
    throw new CodedError('recording_changed', 'the recording was replaced while it was being cut');
  }
}

/** A WAV whose sound is not copied: a chunk of a remote engine may be a quarter of an hour. */
function wavOf(pcm: Int16Array, channels: number): Readable {
  const sound = Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength);
  return Readable.from([wavHeader(sound.length, channels, SAMPLE_RATE), sound]);
}

/** Told of every cut as soon as it is decided; `ours` is false when somebody else decided it. */
export type OnCut = (n: number, cut: Cut, ours: boolean) => Promise<void>;

/** Takes all cuts that were decided beyond those known. */
export async function adoptDecided(ledger: CutLedger, onCut: OnCut): Promise<void> {
  for (let cut = await ledger.readNext(); cut; cut = await ledger.readNext()) {
    await onCut(ledger.cuts.length - 1, cut, false);
  }
}
