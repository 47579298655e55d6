import { readFile } from 'node:fs/promises';
import { readWav, writeWav } from '@earshot/audio';

/** A WAV of at least `seconds`, made of a 16-bit WAV repeated. */
export async function looped(path: string, seconds: number): Promise<Uint8Array<ArrayBuffer>> {
  const wav = readWav(await readFile(path));
  const times = Math.ceil((seconds * wav.sampleRate * wav.channels) / wav.samples.length);
  const samples = new Int16Array(wav.samples.length * times);
  for (let n = 0; n < times; n++) samples.set(wav.samples, n * wav.samples.length);
  return new Uint8Array(writeWav(samples, wav.channels, wav.sampleRate));
}
