import { SAMPLE_RATE } from './decode.ts';

/** A waveform to draw: the loudest sample of each slice over all channels, 0..255. */
export interface PeakData {
  /** Slices per second; halved for very long recordings. */
  readonly per_second: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/** Collects a waveform while blocks stream by. Memory is bounded by `maxPoints` bytes. */
export interface Peaks {
  /** Takes the next interleaved 16 kHz block. */
  push(block: Int16Array): void;
  /** What was collected so far; may be called any time. */
  result(): PeakData;
}

/** `perSecond` slices (default 10) until `maxPoints` (even; default 1,200,000: 33 h) are full, then coarser by halves. */
export function createPeaks(options: { channels: number; perSecond?: number; maxPoints?: number }): Peaks {
  const { channels, perSecond = 10, maxPoints = 1_200_000 } = options;
  let slice = Math.round(SAMPLE_RATE / perSecond) * channels;
  let data = new Uint8Array(4096);
  let points = 0;
  let loudest = 0;
  let filled = 0;
  const add = () => {
    if (points === maxPoints) {
      points = halve(data, points);
      slice *= 2;
      return;
    }
    if (points === data.length) data = grow(data, Math.min(maxPoints, points * 2));
    data[points] = Math.min(255, loudest >> 7);
    points += 1;
    loudest = 0;
    filled = 0;
  };
  const push = (block: Int16Array) => {
    for (const sample of block) {
      const size = sample < 0 ? -sample : sample;
      if (size > loudest) loudest = size;
      filled += 1;
      if (filled === slice) add();
    }
  };
  const result = () => {
    const copy = new Uint8Array(points + (filled > 0 ? 1 : 0));
    copy.set(data.subarray(0, points));
    if (filled > 0) copy[points] = Math.min(255, loudest >> 7);
    return { per_second: (SAMPLE_RATE * channels) / slice, channels, data: copy };
  };
  return { push, result };
}

function grow(data: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length);
  larger.set(data);
  return larger;
}

/** Merges neighbours in place and returns how many points are left. */
function halve(data: Uint8Array, points: number): number {
  for (let n = 0; n < points; n += 2) data[n / 2] = Math.max(data[n] ?? 0, data[n + 1] ?? 0);
  return Math.ceil(points / 2);
}
