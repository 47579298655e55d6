import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.ts';
import { findBinary } from './binary.ts';
import { ffmpegRecipe } from './ffmpeg.ts';

const ALL = 'wav mp3 ogg flac mov,mp4,m4a matroska,webm aac aiff caf';

async function lookFor(version: string, demuxers: string) {
  const folder = temporaryFolder();
  const list = demuxers.split(' ').map((names) => ` D   ${names}   Some container`);
  const lines = [`ffmpeg version ${version} Copyright`, ...list].join('\n');
  await writeFile(join(folder, 'ffmpeg'), `#!/bin/sh\n/bin/cat <<'END'\n${lines}\nEND\n`);
  await chmod(join(folder, 'ffmpeg'), 0o755);
  const options = { env: { PATH: folder }, cacheDir: join(folder, 'cache') };
  return findBinary(ffmpegRecipe(options), options);
}

describe('the ffmpeg of the system', () => {
  test.each(['5.0', '6.1.1-3ubuntu5', 'n9.0.2-17-g2a571b6068', 'N-117000-gabcdef'])(
    '%s is used',
    async (version) => {
      expect(await lookFor(version, ALL)).toMatchObject({ version, source: 'path' });
    },
  );

  test('is left alone when it is old or cannot read the usual recordings', async () => {
    expect(await lookFor('4.4.2', ALL)).toBeUndefined();
    expect(await lookFor('7.0', 'wav mp3')).toBeUndefined();
  });
});
