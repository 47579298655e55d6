import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';

const run = promisify(execFile);
const source = join(import.meta.dirname, '../../docker-compose.yml');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'earshot-compose-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function load(text: string): Promise<string> {
  const file = join(folder, 'docker-compose.yml');
  await writeFile(file, text);
  const { stdout, stderr } = await run(inject('goTools').compose, ['-no-interpolation', file]);
  return stdout + stderr;
}

it('is a compose file to compose itself', async () => {
  const text = await readFile(source, 'utf8');
  await expect(load(text)).resolves.toContain('transcription');
});

it('is refused with a misspelt key', async () => {
  const text = await readFile(source, 'utf8');
  const broken = text.replace('stop_grace_period:', 'stop_grace_perod:');
  await expect(load(broken)).rejects.toThrow(/stop_grace_perod/);
});
