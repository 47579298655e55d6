import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { beepAt3s, decodeAll, useMedia } from '../test/media.ts';
import { ffmpeg, samples } from '../test/parts.ts';
import { silentFlac } from '../test/silent-flac.ts';
import { type DecodeOptions, decodeRecording } from './decode.ts';
import { probeRecording } from './probe.ts';

const media = useMedia();

/** Direct children of this process that run ffmpeg, zombies included. */
async function ffmpegChildren(): Promise<number> {
  const stats = await Promise.all(
    (await readdir('/proc'))
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')),
  );
  return stats.filter((stat) => new RegExp(`^\\d+ \\(ffmpeg\\) . ${process.pid} `).test(stat)).length;
}

async function start(path: string, options: Partial<DecodeOptions> = {}) {
  const recording = await probeRecording({ ffmpeg, path });
  return decodeRecording({ ffmpeg, path, recording, channels: 'mix', ...options });
}

describe('a damaged recording', () => {
  it.each([
    ['mp4', '-c:a', 'aac', '-movflags', '+faststart'],
    ['mp3', '-c:a', 'libmp3lame'],
    ['flac'],
    ['webm', '-c:a', 'libopus'],
  ])('%s keeps what came before the damage, and says so', async (kind, ...args) => {
    const whole = await media.make(`whole.${kind}`, ...beepAt3s, ...args);
    const { outcome } = await decodeAll(await media.cut(`half.${kind}`, whole, 0.5));
    expect(outcome.duration_ms).toBeGreaterThan(1000);
    expect(outcome.duration_ms).toBeLessThan(4000);
    expect(outcome.truncated).toMatchObject({ code: 'corrupt', detail: expect.not.stringContaining('/') });
  });

  it('wav without its end is just shorter', async () => {
    const whole = await media.make('whole.wav', ...beepAt3s);
    const { outcome } = await decodeAll(await media.cut('half.wav', whole, 0.5));
    expect(outcome).toEqual({ duration_ms: expect.closeTo(2500, -2) });
  });

  it('without a single readable sample is corrupt', async () => {
    const bytes = await readFile(await media.make('whole.m4a', ...beepAt3s, '-movflags', '+faststart'));
    bytes.fill(0xff, bytes.indexOf('mdat') + 4);
    const path = await media.write('ruined.m4a', bytes);
    await expect(decodeAll(path)).rejects.toMatchObject({ code: 'corrupt' });
  });

  it('that is only a header is empty', async () => {
    const bytes = await readFile(await media.make('whole.wav', ...beepAt3s));
    const path = await media.write('header.wav', bytes.subarray(0, bytes.indexOf('data') + 8));
    await expect(decodeAll(path)).rejects.toMatchObject({ code: 'empty_audio' });
  });
});

describe('a bomb: 30 hours of silence in 200 KB', () => {
  it('is refused by its own claim before anything is decoded', async () => {
    const path = await media.write('claims.flac', silentFlac(30, true));
    await expect(start(path)).rejects.toMatchObject({ code: 'too_long' });
  });

  it('that claims nothing is decoded up to the limit in flat memory', async () => {
    const path = await media.write('silent.flac', silentFlac(30, false));
    const decoding = await start(path, { limits: { maxDurationMs: 3_600_000 } });
    const before = process.memoryUsage.rss();
    let frames = 0;
    const drain = async () => {
      for await (const block of decoding) frames += block.length;
    };
    await expect(drain()).rejects.toMatchObject({ code: 'too_long' });
    expect(frames / 16).toBeLessThanOrEqual(3_600_000);
    expect(frames / 16).toBeGreaterThan(3_590_000);
    // An hour is 115 MB of samples.
    expect(process.memoryUsage.rss() - before).toBeLessThan(60e6);
    expect(await ffmpegChildren()).toBe(0);
  });
});

describe('ffmpeg is gone', () => {
  const long = async () => media.write('long.flac', silentFlac(20, false));

  it('when the consumer leaves early', async () => {
    for await (const _ of await start(await long())) break;
    expect(await ffmpegChildren()).toBe(0);
  });

  it('when the consumer fails', async () => {
    const decoding = await start(await long());
    const consume = async () => {
      for await (const _ of decoding) throw new Error('storage is full');
    };
    await expect(consume()).rejects.toThrow('storage is full');
    expect(await ffmpegChildren()).toBe(0);
  });

  it('soon after an abort, with its reason', async () => {
    const abort = new AbortController();
    const decoding = await start(await long(), { signal: abort.signal });
    const consume = async () => {
      for await (const _ of decoding) abort.abort(new Error('lease lost'));
    };
    await expect(consume()).rejects.toThrow('lease lost');
    expect(await ffmpegChildren()).toBe(0);
  });

  it('when it took too long, however slow the consumer may be', async () => {
    const decoding = await start(await long(), { limits: { timeoutMs: 50 } });
    const consume = async () => {
      for await (const _ of decoding);
    };
    await expect(consume()).rejects.toMatchObject({ code: 'timeout' });
    expect(await ffmpegChildren()).toBe(0);
  });

  it('after a normal end, with every sample delivered', async () => {
    const { outcome } = await decodeAll(samples.beckett);
    expect(outcome).toEqual({ duration_ms: 9964 });
    expect(await ffmpegChildren()).toBe(0);
  });
});

it('a slow consumer holds ffmpeg back', async () => {
  const iterator = (await start(await media.write('slow.flac', silentFlac(20, false))))[
    Symbol.asyncIterator
  ]();
  await iterator.next();
  const children = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(
    children.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')),
  );
  const pid = stats
    .find((stat) => stat.includes(`(ffmpeg) `) && stat.split(' ')[3] === `${process.pid}`)
    ?.split(' ')[0];
  const written = async () => Number(/wchar: (\d+)/.exec(await readFile(`/proc/${pid}/io`, 'utf8'))?.[1]);
  expect(await written()).toBeLessThan(2_000_000);
  await iterator.return?.();
  expect(await ffmpegChildren()).toBe(0);
});
