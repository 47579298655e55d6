import { existsSync, openAsBlob } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from '@earshot/client';
import { embeddedOptionsFromEnv, resolveSpeechModel } from '@earshot/embedded';
import { eventually, tempFolder } from '@earshot/testkit';
import { expect, it } from 'vitest';
import { runFile } from './earshot-process.ts';

it('three terminals with nothing set share one NATS and one PostgreSQL, and the last one stops them', async () => {
  const folder = await tempFolder();
  const home = join(folder.path, 'home');
  const serve = (service: string) => runFile('tools/serve.ts', { EARSHOT_HOME: home, PORT: '0' }, [service]);
  const [ingest, results, transcription] = [serve('ingest'), serve('results'), serve('transcription')];
  const [[, ingestUrl = ''], [, resultsUrl = '']] = await Promise.all([
    ingest.printed(/"url":"([^"]+)","msg":"ingest ready"/),
    results.printed(/"url":"([^"]+)","msg":"results ready"/),
    transcription.printed(/worker ready/),
  ]);
  const { samples } = await resolveSpeechModel(embeddedOptionsFromEnv(process.env));
  const sample = samples.find((path) => path.endsWith('beckett.wav')) ?? '';
  const { id } = await new Client({ baseUrl: ingestUrl }).recordings.create({
    file: await openAsBlob(sample),
  });
  const transcript = await new Client({ baseUrl: resultsUrl }).transcripts.wait(id);
  expect(transcript.text).toContain('try again');
  expect(await readdir(join(home, 'users'))).toHaveLength(3);
  await Promise.all([ingest.interrupt(), results.interrupt()]);
  expect(await readdir(join(home, 'users'))).toHaveLength(1);
  await transcription.interrupt();
  await eventually('the servers to be gone', async () => !(await readdir(home)).includes('servers.json'));
  await folder.remove();
});

it('starts no server of its own in production, and names every address that is missing', async () => {
  const folder = await tempFolder();
  const home = join(folder.path, 'home');
  const env = { EARSHOT_HOME: home, ENVIRONMENT: 'production', NATS_URL: 'nats://broker' };
  const serve = runFile('tools/serve.ts', env, ['results']);
  expect(await serve.exit).toBe(1);
  expect(serve.stderr()).toBe(
    'DATABASE_URL is required when ENVIRONMENT is production\n' +
      'EARSHOT_STORAGE_URL is required when ENVIRONMENT is production\n',
  );
  expect(existsSync(home)).toBe(false);
  await folder.remove();
});
