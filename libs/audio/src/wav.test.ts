import { describe, expect, it } from 'vitest';
import { decodeAll, useMedia } from '../test/media.ts';
import { createPeaks } from './peaks.ts';
import { deinterleave, readWav, writeWav } from './wav.ts';

const media = useMedia();
const stereo = Int16Array.from({ length: 32_000 }, (_, n) => (n % 2 === 0 ? n % 9000 : -n));

describe('writeWav and readWav', () => {
  it('give back the samples', () => {
    expect(readWav(writeWav(stereo, 2, 16_000))).toEqual({
      samples: stereo,
      channels: 2,
      sampleRate: 16_000,
    });
  });

  it('write what ffmpeg reads', async () => {
    const { recording, channels } = await decodeAll(
      await media.write('own.wav', writeWav(stereo, 2, 16_000)),
    );
    expect(recording).toMatchObject({ channels: 2, sample_rate: 16_000, duration_ms: 1000 });
    expect(channels[1]?.[500]).toBe(stereo[1001]);
  });

  it.each([[0], [0xffff_ffff], [64_000 * 2]])('read to the end when the size field says %i', (size) => {
    const wav = writeWav(stereo, 2, 16_000);
    wav.writeUInt32LE(size, 40);
    expect(readWav(wav).samples).toEqual(stereo);
  });

  it('read bytes at an odd address, and whole frames only', () => {
    const wav = Buffer.concat([Buffer.from('x'), writeWav(stereo, 2, 16_000)]).subarray(1, -3);
    expect(readWav(wav).samples).toEqual(stereo.subarray(0, -2));
  });

  it.each([
    ['not a wav'],
    ['RIFF\x00\x00\x00\x00WAVE'],
    ['RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01'],
  ])('refuse %j', (bytes) => {
    expect(() => readWav(Buffer.from(bytes, 'latin1'))).toThrow(expect.objectContaining({ code: 'corrupt' }));
  });
});

describe('deinterleave', () => {
  it('gives each channel its own samples', () => {
    expect(deinterleave(Int16Array.of(1, -1, 2, -2), 2)).toEqual([
      Int16Array.of(1, 2),
      Int16Array.of(-1, -2),
    ]);
  });
});

describe('createPeaks', () => {
  it('draws the loudest sample of each tenth of a second, whatever the blocks', () => {
    const peaks = createPeaks({ channels: 1 });
    const pcm = new Int16Array(16_000);
    pcm[1700] = -32_768;
    pcm[15_999] = 128;
    for (let at = 0; at < pcm.length; at += 777) peaks.push(pcm.subarray(at, at + 777));
    expect(peaks.result()).toEqual({
      per_second: 10,
      channels: 1,
      data: Uint8Array.of(0, 255, 0, 0, 0, 0, 0, 0, 0, 1),
    });
  });

  it('gets coarser instead of larger', () => {
    const peaks = createPeaks({ channels: 2, maxPoints: 4 });
    const pcm = new Int16Array(32_000);
    pcm[31_999] = 32_767;
    peaks.push(pcm);
    const { per_second, data } = peaks.result();
    expect(per_second).toBe(2.5);
    expect(data).toHaveLength(3);
    expect(data.at(-1)).toBe(255);
  });
});
