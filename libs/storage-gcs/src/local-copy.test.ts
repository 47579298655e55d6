import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { tempFolder } from '@earshot/testkit';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { localCopy, sweepCopies } from './local-copy.ts';

let folder: Awaited<ReturnType<typeof tempFolder>>;
beforeEach(async () => {
  folder = await tempFolder();
  vi.stubEnv('TMPDIR', folder.path);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await folder.remove();
});

const copyOf = (pid: number) => mkdtemp(join(tmpdir(), `earshot-object-${pid}-`));
const exists = (path: string) =>
  readFile(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  );

it('a killed process’s copies are swept, not those of a living one, nor anything else', async () => {
  const gone = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const living = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await Promise.all([once(gone, 'spawn'), once(living, 'spawn')]);
  gone.kill('SIGKILL');
  await once(gone, 'exit');
  const kept = [await copyOf(living.pid ?? 0), await mkdtemp(join(tmpdir(), 'earshot-other-'))];
  const left = [await copyOf(gone.pid ?? 0), (await localCopy(Readable.from([Buffer.from('1')]))).path];
  await sweepCopies();
  expect(await Promise.all(kept.map(exists))).toEqual([true, true]);
  expect(await Promise.all(left.map(exists))).toEqual([false, false]);
  living.kill('SIGKILL');
  await once(living, 'exit');
});
