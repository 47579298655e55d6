import { describe, expect, it } from 'vitest';
import { decodeAll } from '../test/media.ts';
import { samples } from '../test/parts.ts';
import { type Chunk, Chunker, type ChunkerOptions } from './chunker.ts';

const speech = (await decodeAll(samples.two_cities)).channels[0] ?? new Int16Array(0);

/** Three minutes of real speech and a bit. */
function recording(frames: number, channels = 1): Int16Array {
  return Int16Array.from(
    { length: frames * channels },
    (_, n) => speech[Math.floor(n / channels) % speech.length] ?? 0,
  );
}

interface Way {
  readonly options?: Partial<ChunkerOptions>;
  readonly block?: number;
  /** Ends that storage holds already, by chunk number. */
  readonly stored?: Readonly<Record<number, number>>;
}

/** Cuts as the split handler does: propose, store (first wins), adopt what is stored. */
function cut(pcm: Int16Array, { options = {}, block = 32_768, stored = {} }: Way = {}): Chunk[] {
  const chunker = new Chunker({ channels: 1, ...options });
  const chunks: Chunk[] = [];
  const take = () => {
    for (let chunk = chunker.next(); chunk !== undefined; chunk = chunker.next()) {
      chunks.push(chunk);
      chunker.adopt(stored[chunk.n] ?? chunk.end_ms);
    }
  };
  for (let at = 0; at < pcm.length; at += block) {
    chunker.push(pcm.subarray(at, at + block));
    take();
  }
  chunker.end();
  take();
  return chunks;
}

const ends = (chunks: readonly Chunk[]) => chunks.map(({ end_ms }) => end_ms);

describe('Chunker', () => {
  const pcm = recording(200 * 16_000 + 5);
  const chunks = cut(pcm);

  it('gives back every sample, in order, none twice', () => {
    const joined = Int16Array.from(chunks.flatMap(({ pcm: part }) => [...part]));
    expect(Buffer.compare(Buffer.from(joined.buffer), Buffer.from(pcm.buffer))).toBe(0);
    expect(chunks.map(({ n }) => n)).toEqual(chunks.map((_, n) => n));
    expect(chunks.slice(1).map(({ start_ms }) => start_ms)).toEqual(ends(chunks).slice(0, -1));
    expect(ends(chunks).at(-1)).toBe(200_001);
  });

  it('makes chunks of 45 to 75 s, but for the last', () => {
    for (const { start_ms, end_ms } of chunks.slice(0, -1)) {
      expect(end_ms - start_ms).toBeGreaterThanOrEqual(45_000);
      expect(end_ms - start_ms).toBeLessThanOrEqual(75_000);
    }
    expect(chunks.length).toBeGreaterThan(2);
  });

  it('cuts where nobody speaks', () => {
    for (const { end_ms } of chunks.slice(0, -1)) {
      const around = pcm.subarray((end_ms - 80) * 16, (end_ms + 80) * 16);
      expect(around.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)).toBeLessThan(300);
    }
  });

  it('prefers a pause to the even quieter closure inside a word', () => {
    const noisy = recording(80 * 16_000).map((_, n) => Math.round(3000 * Math.sin(n / 5)));
    noisy.fill(0, 50 * 16_000, 50.11 * 16_000);
    for (let n = 60 * 16_000; n < 61 * 16_000; n += 1) noisy[n] = n % 20;
    expect(ends(cut(noisy))[0]).toBeCloseTo(60_500, -2);
  });

  it.each([[160], [777], [1_000_003], [100_000_000]])('cuts the same with blocks of %i samples', (block) => {
    expect(ends(cut(pcm, { block }))).toEqual(ends(chunks));
  });

  it('cuts all channels at one point, however they differ', () => {
    const stereo = recording(100 * 16_000, 2).map((sample, n) => (n % 2 === 0 ? sample : 0));
    const [first, second] = cut(stereo, { options: { channels: 2 } });
    expect((first?.pcm.length ?? 0) + (second?.pcm.length ?? 0)).toBe(stereo.length);
    expect(first?.pcm.length).toBe((first?.end_ms ?? 0) * 32);
  });

  it('makes one chunk of a short recording, and none of nothing', () => {
    expect(ends(cut(recording(75_000 * 16)))).toEqual([75_000]);
    expect(ends(cut(recording(16)))).toEqual([1]);
    expect(cut(new Int16Array(0))).toEqual([]);
  });

  it('joins a tail under a second to the last cut', () => {
    const steady = Int16Array.from({ length: 75_800 * 16 }, (_, n) => Math.round(3000 * Math.sin(n / 5)));
    for (let n = 75_000 * 16 - 4000; n < 75_000 * 16; n += 1) steady[n] = 0;
    expect(ends(cut(steady))).toEqual([75_800]);
  });

  it.each([[{ 0: 46_000 }], [{ 0: 90_000 }], [{ 0: 46_000, 1: 47_000, 2: 180_000 }]])(
    'goes on from the ends that somebody else stored first: %o',
    (stored: Record<number, number>) => {
      const found = cut(pcm, { stored });
      for (const [n, end] of Object.entries(stored)) {
        const after = found[Number(n) + 1];
        expect(after?.start_ms).toBe(end);
        expect(after?.pcm.subarray(0, 1000)).toEqual(pcm.subarray(end * 16, end * 16 + 1000));
      }
    },
  );

  it('is done when a stored end lies behind the recording', () => {
    expect(cut(pcm, { stored: { 0: 300_000 } })).toHaveLength(1);
  });

  it('resumes behind adopted cuts and then cuts as it would have', () => {
    const chunker = new Chunker({ channels: 1 });
    for (const end of ends(chunks).slice(0, 2)) chunker.adopt(end);
    chunker.push(pcm);
    chunker.end();
    expect(chunker.next()).toMatchObject({ n: 2, start_ms: chunks[2]?.start_ms, end_ms: chunks[2]?.end_ms });
  });

  it('refuses an end that lies before the start', () => {
    const chunker = new Chunker({ channels: 1 });
    chunker.adopt(1000);
    expect(() => chunker.adopt(1000)).toThrow(RangeError);
    expect(() => chunker.adopt(1000.5)).toThrow(RangeError);
  });
});
