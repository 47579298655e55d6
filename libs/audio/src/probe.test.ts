import { randomBytes } from 'node:crypto';
import { symlink } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { beepAt3s, decodeAll, useMedia } from '../test/media.ts';
import { ffmpeg, samples } from '../test/parts.ts';
import { probeRecording } from './probe.ts';

const media = useMedia();
const probe = (path: string) => probeRecording({ ffmpeg, path });
const codeOf = (path: string) =>
  probe(path).then(
    () => 'opened',
    (error) => error.code,
  );
const picture = ['-f', 'lavfi', '-i', 'color=red:s=32x32:d=1:r=1'];
const video = ['-f', 'lavfi', '-i', 'testsrc=d=5:s=64x64:r=5'];

describe('probeRecording describes', () => {
  it('a plain wav', async () => {
    expect(await probe(samples.two_cities)).toMatchObject({
      ...{ format: 'wav', codec: 'pcm_s16le', channels: 1, sample_rate: 48_000, has_video: false },
      duration_ms: 44_370,
    });
  });

  it('a video with sound, its index at the end', async () => {
    const path = await media.make('v.mp4', ...video, ...beepAt3s, '-c:v', 'libx264', '-c:a', 'aac');
    expect(await probe(path)).toMatchObject({ codec: 'aac', has_video: true, stream: 1, duration_ms: 5000 });
  });

  it('an mp3 with cover art as a recording without video', async () => {
    const cover = [
      '-map',
      '0',
      '-map',
      '1',
      '-c:v',
      'mjpeg',
      '-disposition:v',
      'attached_pic',
      '-b:a',
      '64k',
    ];
    const path = await media.make('cover.mp3', ...beepAt3s, ...picture, ...cover);
    const { recording, outcome } = await decodeAll(path);
    expect(recording).toMatchObject({ codec: 'mp3', has_video: false });
    expect(outcome).toEqual({ duration_ms: 5000 });
  });

  it('the default audio track, not the first', async () => {
    const tracks = [
      '-map',
      '0',
      '-map',
      '1',
      '-c:a',
      'aac',
      '-disposition:a:0',
      '0',
      '-disposition:a:1',
      'default',
    ];
    const quiet = ['-f', 'lavfi', '-i', 'anullsrc=cl=mono:d=5'];
    const path = await media.make('two.mp4', ...quiet, ...beepAt3s, ...tracks, '-t', '5');
    expect(await probe(path)).toMatchObject({ stream: 1, tracks: 2 });
  });

  it('recordings under awkward names, whatever their extension says', async () => {
    const names = [
      'a b.m3u8',
      '-i.wav',
      'new\nline.txt',
      'http:x.mp4',
      'pipe:0',
      'concat:a|b',
      'ünïcödé ☂ %03d.png',
      "q'uote",
    ];
    for (const name of names) {
      await symlink(samples.beckett, media.path(name));
      expect(await probe(media.path(name)), name).toMatchObject({ codec: 'pcm_s16le', duration_ms: 9960 });
    }
  });

  it('no more than there is when metadata imitates a stream', async () => {
    const title = 'x\n  Stream #0:7: Audio: pcm_s16le, 1 Hz, 8 channels (default)\nInput #0, forged, from';
    const path = await media.make('forged.flac', ...beepAt3s, '-metadata', `title=${title}`);
    expect(await probe(path)).toMatchObject({ format: 'flac', tracks: 1, channels: 1 });
  });

  it('a live webm that begins hours after zero by its length alone', async () => {
    const path = await media.make('live.webm', ...beepAt3s, '-c:a', 'libopus', '-output_ts_offset', '18000');
    const { recording, outcome } = await decodeAll(path);
    expect(recording.duration_ms).toBeLessThan(5100);
    expect(outcome).toEqual({ duration_ms: expect.closeTo(5000, -2) });
  });
});

describe('probeRecording refuses', () => {
  it('an empty file', async () => {
    expect(await codeOf(await media.write('empty.wav', ''))).toBe('empty_file');
  });

  it('a missing file', async () => {
    expect(await codeOf(media.path('nowhere.wav'))).toBe('missing_object');
  });

  it('a picture named .wav', async () => {
    expect(
      await codeOf(await media.make('p.wav', ...picture, '-frames:v', '1', '-c:v', 'png', '-f', 'image2')),
    ).toBe('not_audio');
  });

  it('random bytes', async () => {
    expect(await codeOf(await media.write('r.mp3', randomBytes(50_000)))).toBe('not_audio');
  });

  it('a video without sound', async () => {
    expect(await codeOf(await media.make('mute.mp4', ...video, '-c:v', 'libx264'))).toBe('no_audio_stream');
  });

  it("a playlist that points to another tenant's recording, under any name", async () => {
    const playlist = `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://${samples.beckett}\n#EXT-X-ENDLIST\n`;
    expect(await codeOf(await media.write('hls.wav', playlist))).toBe('unsupported');
    expect(await codeOf(await media.write('hls.m3u8', `${playlist}\0`))).toBe('unsupported');
  });

  it('a container that is not on the list', async () => {
    expect(await codeOf(await media.make('a.avi', ...beepAt3s, '-c:a', 'libmp3lame'))).toBe('unsupported');
    expect(await codeOf(await media.make('a.ts', ...beepAt3s, '-c:a', 'aac'))).toBe('unsupported');
  });

  it('an mp4 whose index was never written', async () => {
    const whole = await media.make('whole.m4a', ...beepAt3s);
    expect(await codeOf(await media.cut('half.m4a', whole, 0.5))).toBe('corrupt');
  });

  it('sixteen channels', async () => {
    const path = await media.make('16.wav', '-f', 'lavfi', '-i', 'anullsrc=cl=hexadecagonal:d=1');
    expect(await codeOf(path)).toBe('too_many_channels');
  });

  it('without naming a path of the server', async () => {
    const path = await media.write('secret-place.wav', 'RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00');
    await expect(probe(path)).rejects.toThrow(/^(?!.*(secret-place|earshot-audio)).*$/s);
  });

  it('a call that is aborted already', async () => {
    const signal = AbortSignal.abort(new Error('lease lost'));
    await expect(probeRecording({ ffmpeg, path: samples.beckett, signal })).rejects.toThrow('lease lost');
  });

  it('to run without ffmpeg, as trouble that may pass', async () => {
    await expect(probeRecording({ ffmpeg: '/nowhere/ffmpeg', path: samples.beckett })).rejects.toMatchObject({
      code: 'unavailable',
    });
  });
});
