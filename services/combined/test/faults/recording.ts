import { writeWav } from '@earshot/audio';

const RATE = 8_000;

/** A WAV of so many seconds of soft noise; another `seed` sounds different. */
export function noise(seconds: number, seed: number): Blob {
  const samples = new Int16Array(seconds * RATE);
  let state = seed * 2_654_435_761 + 1;
  for (let n = 0; n < samples.length; n += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    samples[n] = state >> 22;
  }
  return new Blob([new Uint8Array(writeWav(samples, 1, RATE))]);
}
