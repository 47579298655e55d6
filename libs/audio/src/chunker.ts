import { pauseFrame } from './quiet-point.ts';

/** Frames per millisecond at 16 kHz. */
const PER_MS = 16;

export interface ChunkerOptions {
  /** Channels of the interleaved 16 kHz blocks. */
  readonly channels: number;
  /** Shortest chunk unless the recording ends; default 45000. */
  readonly minMs?: number | undefined;
  /** Longest chunk, but for a tail that joins it; default 75000. */
  readonly maxMs?: number | undefined;
  /** A tail shorter than this joins the last chunk; default 1000. */
  readonly tailMs?: number | undefined;
}

/** A proposed slice of the recording; its samples are a copy. */
export interface Chunk {
  /** Zero-based. */
  readonly n: number;
  readonly start_ms: number;
  /** Exclusive. */
  readonly end_ms: number;
  /** Interleaved. */
  readonly pcm: Int16Array;
}

/**
 * Cuts a stream of samples at its pauses, the same way whatever the size of the blocks. Each cut is a proposal:
 * `push` blocks, take `next` until it is undefined, store it, then `adopt` the end that storage holds (one's own, or that
 * of whoever was first); after the last block call `end` and take the rest. Adopting before any block resumes an older cutting.
 * At most `maxMs + tailMs` and one block are kept in memory.
 */
export class Chunker {
  readonly #channels: number;
  readonly #min: number;
  readonly #max: number;
  readonly #tail: number;
  /** Samples from the current start on; only the first `#held` frames are in use. */
  #buffer: Int16Array;
  #held = 0;
  /** Frames to throw away, because an adopted cut lies beyond what was read. */
  #skip = 0;
  #n = 0;
  #startMs = 0;
  #ended = false;

  constructor({ channels, minMs = 45_000, maxMs = 75_000, tailMs = 1000 }: ChunkerOptions) {
    this.#channels = channels;
    this.#min = minMs * PER_MS;
    this.#max = maxMs * PER_MS;
    this.#tail = tailMs * PER_MS;
    this.#buffer = new Int16Array((this.#max + this.#tail + 65_536) * channels);
  }

  /** Number of the chunk that comes next. */
  get n(): number {
    return this.#n;
  }

  /** Where the next chunk starts, in milliseconds: the end of the last adopted cut. */
  get position_ms(): number {
    return this.#startMs;
  }

  /** Takes the next interleaved block; take all of `next` first. */
  push(block: Int16Array): void {
    const skipped = Math.min(this.#skip, block.length / this.#channels);
    this.#skip -= skipped;
    const rest = block.subarray(skipped * this.#channels);
    const at = this.#held * this.#channels;
    if (at + rest.length > this.#buffer.length) this.#grow(at + rest.length);
    this.#buffer.set(rest, at);
    this.#held += rest.length / this.#channels;
  }

  /** Says that no block will come: what is left becomes the last chunk. */
  end(): void {
    this.#ended = true;
  }

  /** The next chunk as this side would cut it, or undefined when more must be read (or nothing is left). Repeats until adopted. */
  next(): Chunk | undefined {
    const frames = this.#cut();
    if (frames === undefined) return undefined;
    return {
      n: this.#n,
      start_ms: this.#startMs,
      end_ms: this.#startMs + Math.ceil(frames / PER_MS),
      pcm: this.#buffer.slice(0, frames * this.#channels),
    };
  }

  /** Fixes where the current chunk ends; it may lie before or after the proposal, also beyond what was read. */
  adopt(endMs: number): void {
    if (!Number.isInteger(endMs) || endMs <= this.#startMs) {
      throw new RangeError(`a chunk that starts at ${this.#startMs} ms cannot end at ${endMs} ms`);
    }
    const frames = (endMs - this.#startMs) * PER_MS;
    const dropped = Math.min(frames, this.#held);
    this.#skip += frames - dropped;
    this.#buffer.copyWithin(0, dropped * this.#channels, this.#held * this.#channels);
    this.#held -= dropped;
    this.#startMs = endMs;
    this.#n += 1;
  }

  /** Frames up to the cut, or undefined while it cannot be known. */
  #cut(): number | undefined {
    if (this.#ended && this.#held <= this.#max) return this.#held > 0 ? this.#held : undefined;
    if (!this.#ended && this.#held < this.#max + this.#tail) return undefined;
    const range = { samples: this.#buffer, channels: this.#channels, from: this.#min, to: this.#max };
    const cut = pauseFrame(range);
    return this.#held - cut < this.#tail ? this.#held : cut;
  }

  #grow(length: number): void {
    const larger = new Int16Array(Math.ceil(length * 1.25));
    larger.set(this.#buffer);
    this.#buffer = larger;
  }
}
