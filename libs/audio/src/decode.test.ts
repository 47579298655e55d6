import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { beepAt3s, decodeAll, onsetMs, peak, useMedia } from '../test/media.ts';

const media = useMedia();
/** A decoder's own delay, where the container does not tell it, is below a syllable. */
const SYLLABLE_MS = 60;
const tones = (expressions: string[]) => [
  '-f',
  'lavfi',
  '-i',
  `aevalsrc=${expressions.join('|')}:d=2:s=48000`,
];
const tone = (hertz: number) => `0.4*sin(2*PI*${hertz}*t)`;

describe('decodeRecording keeps time: a beep at 3 s is heard at 3 s in', () => {
  const video = ['-f', 'lavfi', '-i', 'testsrc=d=5:s=64x64:r=5', '-shortest'];
  it.each([
    ['a.wav'],
    ['8k.wav', '-ar', '8000'],
    ['192k.wav', '-ar', '192000', '-c:a', 'pcm_s24le'],
    ['float.wav', '-c:a', 'pcm_f32le'],
    ['mu.wav', '-ar', '8000', '-c:a', 'pcm_mulaw'],
    ['a.mp3', '-c:a', 'libmp3lame'],
    ['a.m4a', '-c:a', 'aac'],
    ['fast.m4a', '-c:a', 'aac', '-movflags', '+faststart'],
    ['fragments.mp4', '-c:a', 'aac', '-movflags', '+frag_keyframe+empty_moov'],
    ['a.aac', '-c:a', 'aac'],
    ['a.flac'],
    ['opus.ogg', '-c:a', 'libopus'],
    ['vorbis.ogg', '-c:a', 'libvorbis'],
    ['a.webm', '-c:a', 'libopus'],
    ['v.mp4', ...video, '-c:v', 'libx264', '-c:a', 'aac'],
    ['v.webm', ...video, '-c:v', 'libvpx', '-c:a', 'libopus'],
    ['a.amr', '-ar', '8000', '-ac', '1'],
    ['a.aiff'],
    ['a.asf'],
  ])('%s', async (name, ...args) => {
    const { channels, outcome } = await decodeAll(await media.make(name, ...beepAt3s, ...args));
    expect(Math.abs(onsetMs(channels[0]) - 3000)).toBeLessThan(SYLLABLE_MS);
    // Encoders fill their last frame.
    expect(Math.abs(outcome.duration_ms - 5000)).toBeLessThan(100);
    expect(outcome.truncated).toBeUndefined();
  });

  it.each([['gap.webm'], ['gap.mp4'], ['gap.ogg']])(
    '%s with a pause that was never recorded',
    async (name) => {
      const paused = [
        '-af',
        'aselect=not(between(t\\,1\\,2))',
        ...(name.endsWith('4') ? [] : ['-c:a', 'libopus']),
      ];
      const { channels } = await decodeAll(await media.make(name, ...beepAt3s, ...paused));
      expect(Math.abs(onsetMs(channels[0]) - 3000)).toBeLessThan(SYLLABLE_MS);
    },
  );

  it('several recordings written one after another into one file', async () => {
    const one = await readFile(await media.make('one.ogg', ...beepAt3s, '-c:a', 'libopus'));
    const { outcome } = await decodeAll(await media.write('three.ogg', Buffer.concat([one, one, one])));
    expect(Math.abs(outcome.duration_ms - 15_000)).toBeLessThan(SYLLABLE_MS);
  });
});

describe('decodeRecording keeps channels', () => {
  const eight = Array.from({ length: 8 }, (_, n) => (n === 3 ? tone(440) : '0'));

  it.each([
    ['stereo', 2, 0],
    ['stereo', 2, 1],
    ['5.1', 6, 3],
    ['7.1', 8, 3],
    ['7.1', 8, 7],
  ])('%s of %i: only channel %i sounds', async (layout, count, loud) => {
    const expressions = Array.from({ length: count }, (_, n) => (n === loud ? tone(440) : '0'));
    const path = await media.make(`${layout}-${loud}.wav`, ...tones(expressions), '-channel_layout', layout);
    const { channels } = await decodeAll(path);
    expect(channels.map((channel) => peak(channel) > 10_000)).toEqual(channels.map((_, n) => n === loud));
    expect(channels).toHaveLength(count);
  });

  it('and loses none in a mix, not even one that could be taken for a bass channel', async () => {
    const path = await media.make('numbered.wav', ...tones(eight), '-c:a', 'pcm_s16le');
    const bytes = await readFile(path);
    bytes.writeUInt32LE(0, bytes.indexOf('fmt ') + 28);
    const { channels } = await decodeAll(await media.write('numbered.wav', bytes), { channels: 'mix' });
    expect(channels).toHaveLength(1);
    expect(peak(channels[0])).toBeGreaterThan(1000);
  });

  it('when a stereo part follows a mono one', async () => {
    const mono = await readFile(await media.make('mono.mp3', ...tones([tone(440)])));
    const stereo = await readFile(await media.make('stereo.mp3', ...tones([tone(440), tone(660)])));
    const { channels, outcome } = await decodeAll(
      await media.write('both.mp3', Buffer.concat([mono, stereo])),
    );
    expect(channels).toHaveLength(1);
    expect(outcome.duration_ms).toBeGreaterThan(3900);
  });
});

describe('decodeRecording delivers every sample of a wav whose header lies', () => {
  it.each([
    ['zero', 0],
    ['unknown', 0xff_ff_ff_ff],
    ['too large', 100_000_000],
    ['too small', 1000],
  ])('%s', async (name, size) => {
    const path = await media.make('honest.wav', ...beepAt3s);
    const bytes = await readFile(path);
    bytes.writeUInt32LE(size, bytes.indexOf('data') + 4);
    const { outcome } = await decodeAll(await media.write(`${name}.wav`, bytes));
    expect(outcome).toEqual({ duration_ms: 5000 });
  });

  it('but not what follows the sound of an honest one', async () => {
    const bytes = await readFile(await media.make('tail.wav', ...beepAt3s));
    const chunk = Buffer.concat([Buffer.from('iXML\x10\x27\x00\x00', 'latin1'), Buffer.alloc(10_000, 'x')]);
    const { outcome } = await decodeAll(await media.write('tail.wav', Buffer.concat([bytes, chunk])));
    expect(outcome).toEqual({ duration_ms: 5000 });
  });
});
