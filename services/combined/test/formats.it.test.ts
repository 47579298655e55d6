import { execFile } from 'node:child_process';
import { openAsBlob } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from '@earshot/client';
import type { Transcript } from '@earshot/contracts';
import { embeddedOptionsFromEnv, resolveFfmpeg, resolveSpeechModel } from '@earshot/embedded';
import { tempFolder, wordErrorRate } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startEarshot } from './earshot-process.ts';

const run = promisify(execFile);
const BECKETT = 'Ever tried. Ever failed. No matter. Try again. Fail again. Fail better.';
const CITIES = 'It was the best of times, it was the worst of times';

let folder: Awaited<ReturnType<typeof tempFolder>>;
let ffmpeg: string;
let beckett: string;
let cities: string;
let earshot: Awaited<ReturnType<typeof startEarshot>>;
let client: Client;

beforeAll(async () => {
  folder = await tempFolder();
  const options = embeddedOptionsFromEnv(process.env);
  const [binary, model] = await Promise.all([resolveFfmpeg(options), resolveSpeechModel(options)]);
  ffmpeg = binary.path;
  const sample = (name: string) => model.samples.find((path) => path.endsWith(name)) ?? '';
  beckett = sample('beckett.wav');
  cities = sample('two_cities.wav');
  earshot = await startEarshot(join(folder.path, 'home'));
  client = new Client({ baseUrl: earshot.url });
}, 120_000);

afterAll(async () => {
  await earshot?.interrupt();
  await folder?.remove();
});

/** Makes a recording with ffmpeg, sends it through everything and returns the finished transcript. */
async function transcribe(name: string, args: readonly string[], options: object = {}) {
  const path = join(folder.path, name);
  await run(ffmpeg, ['-hide_banner', '-loglevel', 'error', '-y', ...args, `file:${path}`]);
  const { id } = await client.recordings.create({ file: await openAsBlob(path), ...options });
  return client.transcripts.wait(id, { intervalMs: 100 });
}

/** All that one channel said. */
const textOf = ({ segments }: Transcript, channel: number) =>
  segments
    .filter((segment) => segment.channel === channel)
    .map(({ text }) => text)
    .join(' ');

it.each([
  ['plain.wav', []],
  ['lossy.mp3', ['-b:a', '48k']],
  ['phone.wav', ['-ar', '8000', '-c:a', 'pcm_mulaw']],
  ['studio.flac', ['-ar', '192000', '-sample_fmt', 's32']],
  ['talk.m4a', ['-c:a', 'aac', '-b:a', '64k']],
  ['radio.aac', ['-c:a', 'aac', '-b:a', '64k']],
  ['player.aiff', ['-ar', '22050']],
  ['voice.ogg', ['-c:a', 'libopus', '-b:a', '24k']],
  ['browser.webm', ['-c:a', 'libopus', '-b:a', '32k']],
  ["a b\nünï 'q'.mp3", ['-ac', '1']],
] as const)('hears the words of %j', async (name, options) => {
  const transcript = await transcribe(name, ['-i', beckett, ...options]);
  expect(transcript.status).toBe('completed');
  expect(wordErrorRate(BECKETT, transcript.text).rate).toBeLessThanOrEqual(0.25);
  expect(Math.abs((transcript.duration_ms ?? 0) - 9_979)).toBeLessThan(200);
});

it('hears the sound of a film whose index is at its end', async () => {
  const picture = ['-f', 'lavfi', '-i', 'testsrc=size=320x240:rate=10'];
  const transcript = await transcribe('film.mp4', [
    ...picture,
    '-i',
    beckett,
    '-shortest',
    '-c:a',
    'aac',
    '-movflags',
    '-faststart',
  ]);
  expect(wordErrorRate(BECKETT, transcript.text).rate).toBeLessThanOrEqual(0.25);
});

it('is not misled by cover art', async () => {
  const art = ['-f', 'lavfi', '-i', 'color=red:size=64x64:rate=1:d=1', '-map', '0:a', '-map', '1:v'];
  const transcript = await transcribe('album.mp3', [
    '-i',
    beckett,
    ...art,
    '-c:v',
    'png',
    '-disposition:v',
    'attached_pic',
  ]);
  expect(wordErrorRate(BECKETT, transcript.text).rate).toBeLessThanOrEqual(0.25);
});

it('does not double what is the same on all channels', async () => {
  for (const channels of ['2', '8']) {
    const transcript = await transcribe(`same-${channels}.wav`, [
      '-i',
      beckett,
      '-af',
      'aformat=channel_layouts=mono',
      '-ac',
      channels,
    ]);
    expect(wordErrorRate(BECKETT, transcript.text).rate).toBeLessThanOrEqual(0.25);
    expect(new Set(transcript.segments.map(({ channel }) => channel)).size).toBe(1);
  }
});

it('keeps two speakers apart who talk at the same time, one on each channel', async () => {
  const join2 =
    '[0:a]aresample=16000[l];[1:a]aresample=16000,atrim=0:10[r];[l][r]join=inputs=2:channel_layout=stereo';
  const transcript = await transcribe('call.wav', ['-i', beckett, '-i', cities, '-filter_complex', join2]);
  expect(wordErrorRate(BECKETT, textOf(transcript, 0)).rate).toBeLessThanOrEqual(0.25);
  expect(textOf(transcript, 1)).toContain(CITIES.slice(0, 20));
  expect(transcript.utterances.length).toBeGreaterThan(1);
});

it('keeps eight different channels apart: six who speak, a tone and silence', async () => {
  const slices = [0, 8, 16, 24, 32].map(
    (start, n) => `[1:a]aresample=16000,atrim=${start}:${start + 8},asetpts=N/SR/TB[c${n + 1}]`,
  );
  const places = ['FL', 'FR', 'FC', 'LFE', 'BL', 'BR', 'SL', 'SR'].map((place, n) => `${n}.0-${place}`);
  const graph = [
    '[0:a]aresample=16000,atrim=0:8[c0]',
    ...slices,
    'sine=frequency=300:sample_rate=16000:duration=8[c6]',
    'anullsrc=sample_rate=16000:channel_layout=mono,atrim=0:8[c7]',
    `[c0][c1][c2][c3][c4][c5][c6][c7]join=inputs=8:channel_layout=7.1:map=${places.join('|')}[all]`,
  ].join(';');
  const transcript = await transcribe(
    'panel.wav',
    ['-i', beckett, '-i', cities, '-filter_complex', graph, '-map', '[all]'],
    { channels: 'separate' },
  );
  expect(transcript.status).toBe('completed');
  const said = ['again', 'best of times', 'epoch', 'spring of hope', 'heaven', 'evil'];
  const heard = Array.from({ length: 8 }, (_, channel) => textOf(transcript, channel).toLowerCase());
  for (const [channel, words] of said.entries()) {
    expect(heard.map((text) => text.includes(words))).toEqual(heard.map((_, other) => other === channel));
  }
  expect(heard.slice(6)).toEqual(['', '']);
});

it.each([
  ['silence.wav', 'anullsrc=r=16000:cl=mono', []],
  ['noise.wav', 'anoisesrc=r=16000:a=0.3', []],
  ['silence.ogg', 'anullsrc=r=48000:cl=mono', ['-c:a', 'libopus']],
] as const)('finds no words in %s, and says that none were heard', async (name, source, options) => {
  const transcript = await transcribe(name, ['-f', 'lavfi', '-i', source, '-t', '12', ...options]);
  expect(transcript).toMatchObject({ status: 'completed', text: '', segments: [] });
  expect(transcript.coverage).toEqual({ speech_ms: 0, transcribed_ms: 0, gaps: [] });
});
