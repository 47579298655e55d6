import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.ts';
import { doctor } from './doctor.ts';
import { doctorText } from './doctor-text.ts';

test('the doctor names everything and downloads nothing', async () => {
  const folder = temporaryFolder();
  const options = { env: { PATH: process.env.PATH }, cacheDir: join(folder, 'cache') };
  const rows = await doctor({ options, home: join(folder, 'home') });
  const parts = [
    'Node',
    'npm',
    'Python with pip',
    'nats-server',
    'ffmpeg',
    'postgres',
    'speech model',
    'cache',
    'data',
    'port 8080',
  ];
  expect(rows.map(({ part }) => part)).toEqual(expect.arrayContaining(parts));
  expect(rows.filter(({ problem }) => problem !== undefined)).toEqual([]);
  expect(await readdir(folder)).toEqual([]);
});

test('a setting that is wrong is a problem with its ways out', async () => {
  const folder = temporaryFolder();
  const options = {
    env: {},
    cacheDir: join(folder, 'cache'),
    ffmpegBin: '/nowhere/ffmpeg',
    modelDir: folder,
  };
  const rows = await doctor({ options, home: folder });
  const row = (part: string) => rows.find((candidate) => candidate.part === part);
  expect(row('ffmpeg')).toMatchObject({ found: false, help: expect.stringContaining('EARSHOT_FFMPEG_BIN') });
  expect(row('speech model')?.problem).toContain('EARSHOT_MODEL_DIR');
  expect(row('Python with pip')).toMatchObject({ found: false });
});

test('the report has a line for each part, and ends with what to do about what is missing', () => {
  const node = { part: 'Node', found: true, version: '22.1.0', where: '/bin/node', source: 'path' };
  const fault = { part: 'ffmpeg', found: false, problem: 'not found', help: 'Install it.' };
  expect(doctorText([node])).toBe(
    'ok   Node             22.1.0  [path]  /bin/node\n\nNothing required is missing.\n',
  );
  expect(doctorText([fault])).toBe('FAIL ffmpeg           not found\n\nffmpeg: not found\nInstall it.\n');
});
