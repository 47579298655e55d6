import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';
import { type DecodeOptions, type DecodeOutcome, decodeRecording } from '../src/decode.ts';
import { type Probe, probeRecording } from '../src/probe.ts';
import { deinterleave } from '../src/wav.ts';
import { ffmpeg } from './parts.ts';

const run = promisify(execFile);

/** A beep at 3 s in five quiet seconds: whoever decodes it can tell what time it is. */
export const beepAt3s = [
  '-f',
  'lavfi',
  '-i',
  'aevalsrc=0.5*sin(2*PI*1000*t)*between(t\\,3\\,3.5):d=5:s=44100',
];

/** A folder for this test file's recordings; removed afterwards. */
export function useMedia() {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'earshot-audio-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const path = (name: string) => join(folder, name);
  return {
    path,
    /** Makes a recording with ffmpeg; the last argument is its name. */
    async make(name: string, ...args: string[]): Promise<string> {
      await run(ffmpeg, ['-v', 'error', '-nostdin', '-y', ...args, `file:${path(name)}`]);
      return path(name);
    },
    async write(name: string, bytes: Uint8Array | string): Promise<string> {
      await writeFile(path(name), bytes);
      return path(name);
    },
    /** A copy of a recording that ends after `share` of its bytes. */
    async cut(name: string, whole: string, share: number): Promise<string> {
      const bytes = await readFile(whole);
      await writeFile(path(name), bytes.subarray(0, Math.floor(bytes.length * share)));
      return path(name);
    },
  };
}

export interface Decoded {
  readonly recording: Probe;
  readonly outcome: DecodeOutcome;
  readonly channels: Int16Array[];
}

/** Probes and decodes a whole recording. */
export async function decodeAll(path: string, options: Partial<DecodeOptions> = {}): Promise<Decoded> {
  const recording = await probeRecording({ ffmpeg, path });
  const decoding = decodeRecording({ ffmpeg, path, recording, channels: 'separate', ...options });
  const blocks: Int16Array[] = [];
  for await (const block of decoding) blocks.push(block);
  const all = new Int16Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    all.set(block, at);
    at += block.length;
  }
  return { recording, outcome: decoding.outcome(), channels: deinterleave(all, decoding.channels) };
}

/** When a channel first gets loud, in milliseconds. */
export function onsetMs(channel: Int16Array | undefined): number {
  return (channel?.findIndex((sample) => Math.abs(sample) > 4000) ?? -1) / 16;
}

/** Loudest sample of a channel. */
export function peak(channel: Int16Array | undefined): number {
  return (channel ?? new Int16Array(0)).reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
}
