import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from '@earshot/client';
import { embeddedOptionsFromEnv, resolveSpeechModel } from '@earshot/embedded';
import { eventually, tempFolder, wordErrorRate } from '@earshot/testkit';
import { connect } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSource, startEarshot } from './earshot-process.ts';

const run = promisify(execFile);
const BECKETT = 'Ever tried. Ever failed. No matter. Try again. Fail again. Fail better.';

let folder: Awaited<ReturnType<typeof tempFolder>>;
let home: string;
let sample: string;
let earshot: Awaited<ReturnType<typeof startEarshot>>;
let client: Client;

beforeAll(async () => {
  folder = await tempFolder();
  home = join(folder.path, 'home');
  const { samples } = await resolveSpeechModel(embeddedOptionsFromEnv(process.env));
  sample = samples.find((path) => path.endsWith('beckett.wav')) ?? '';
  await start();
}, 120_000);

afterAll(async () => {
  await earshot?.interrupt();
  await folder?.remove();
});

async function start(): Promise<void> {
  earshot = await startEarshot(home);
  client = new Client({ baseUrl: earshot.url });
}

async function publish(events: readonly object[]): Promise<void> {
  const broker = await connect({ servers: earshot.natsUrl });
  for (const event of events) await broker.jetstream().publish('uploads.default', JSON.stringify(event));
  await broker.drain();
}

const uploadEvent = (id: string, data: object) => ({
  specversion: '1.0',
  type: 'earshot.recording.uploaded.v1',
  source: 'test',
  id,
  data,
});

async function storeSample(key: string): Promise<string> {
  const path = join(home, 'storage', key);
  await mkdir(join(path, '..'), { recursive: true });
  await copyFile(sample, path);
  return key;
}

async function bySession(session_id: string) {
  const found = [];
  for await (const transcript of client.transcripts.list({ session_id })) found.push(transcript);
  return found;
}

const finalOf = (session_id: string) =>
  eventually(
    `a final state of ${session_id}`,
    async () => {
      const [transcript] = await bySession(session_id);
      return transcript && /completed|partial|failed/.test(transcript.status) ? transcript : undefined;
    },
    30_000,
  );

describe('one process on a fresh folder', () => {
  it('prints a curl that works as printed, and the transcript says what was said', async () => {
    const [, curl = ''] = await earshot.printed(/submit\s+(curl .*)\n/);
    const { stdout } = await run('sh', ['-c', `${curl} -sS`]);
    const submitted = JSON.parse(stdout) as { id: string; status: string };
    expect(submitted.status).toBe('queued');
    const transcript = await client.transcripts.wait(submitted.id);
    expect(transcript.status).toBe('completed');
    expect(transcript.text.length).toBeGreaterThan(20);
    expect(transcript.coverage.gaps).toEqual([]);
    expect(transcript.coverage.transcribed_ms).toBeGreaterThan(0.9 * transcript.coverage.speech_ms);
  });

  it('gives text, subtitles and timed words that lie inside the recording', async () => {
    const file = new Blob([await readFile(sample)]);
    const { id } = await client.recordings.create({ file, session_id: 'formats', metadata: { ours: [1] } });
    const transcript = await client.transcripts.wait(id);
    expect(wordErrorRate(BECKETT, transcript.text).rate).toBeLessThanOrEqual(0.1);
    expect(transcript.metadata).toEqual({ ours: [1] });
    const words = transcript.segments.flatMap((segment) => segment.words);
    expect(
      words.every((word) => word.start_ms < word.end_ms && word.end_ms <= (transcript.duration_ms ?? 0)),
    ).toBe(true);
    expect(words.every((word) => word.timing === 'estimated')).toBe(true);
    expect((await client.transcripts.render(id, 'txt')).trim()).toBe(transcript.text);
    expect(await client.transcripts.render(id, 'srt')).toMatch(/^1\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\n\w/);
    expect(await client.transcripts.render(id, 'vtt')).toMatch(/^WEBVTT\n/);
  });

  it('makes one transcript of an event published three times, also after a restart of everything', async () => {
    const event = uploadEvent('thrice', {
      uri: await storeSample('default/in/thrice.wav'),
      session_id: 'thrice',
    });
    await publish([event, event, event]);
    const first = await finalOf('thrice');
    expect(first.status).toBe('completed');
    const servers = await serverPids(home);
    expect(await earshot.interrupt()).toBe(0);
    expect(servers.filter(isAlive)).toEqual([]);
    await start();
    await publish([event]);
    const file = new Blob([await readFile(sample)]);
    await client.transcripts.wait((await client.recordings.create({ file })).id);
    expect(await bySession('thrice')).toEqual([first]);
    const started = new RegExp(`${first.id}.*job started`);
    expect(earshot.stdout()).toMatch(new RegExp(`${first.id}.*was accepted before`));
    expect(earshot.stdout()).not.toMatch(started);
  });

  it('answers a POST repeated with its key with the same transcript, and another body with 422', async () => {
    const file = new Blob([await readFile(sample)]);
    const first = await client.recordings.create({ file }, { idempotencyKey: 'once' });
    const again = await client.recordings.create({ file }, { idempotencyKey: 'once' });
    expect(again.id).toBe(first.id);
    const other = client.recordings.create({ file: new Blob([file, 'x']) }, { idempotencyKey: 'once' });
    await expect(other).rejects.toMatchObject({ status: 422, code: 'idempotency_conflict' });
  });

  it('accepts the short form that a task queue had', async () => {
    await storeSample('default/in/short.wav');
    await publish([{ session_id: 'short', gcs_path: 'default/in/short.wav' }]);
    expect((await finalOf('short')).status).toBe('completed');
  });

  it('refuses at the door what is clearly no recording, and goes on', async () => {
    const send = (bytes: string | Uint8Array) => client.recordings.create({ file: new Blob([bytes]) });
    await expect(send('')).rejects.toMatchObject({ code: 'empty_file', status: 422 });
    await expect(send('#EXTM3U\nfile:///etc/passwd\n')).rejects.toMatchObject({ code: 'unsupported' });
    await expect(send(Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'))).rejects.toMatchObject({
      code: 'not_audio',
    });
    await expect(send('<html>'.repeat(100))).rejects.toMatchObject({ code: 'not_audio' });
  });

  it('turns what cannot be decoded into a failed transcript with a code, and goes on', async () => {
    const key = 'default/in/broken.wav';
    await mkdir(join(home, 'storage/default/in'), { recursive: true });
    await writeFile(
      join(home, 'storage', key),
      Buffer.concat([(await readFile(sample)).subarray(0, 44), Buffer.alloc(0)]),
    );
    await publish([uploadEvent('broken', { uri: key, session_id: 'broken' })]);
    expect(await finalOf('broken')).toMatchObject({ status: 'failed', error: { code: 'empty_audio' } });
    await publish([uploadEvent('bucket', { uri: 'gs://elsewhere/a.wav', session_id: 'bucket' })]);
    expect(await finalOf('bucket')).toMatchObject({ status: 'failed', error: { code: 'forbidden_bucket' } });
  });

  it('describes its API', async () => {
    type Operation = { operationId?: string; summary?: string; tags?: string[]; responses: object };
    type Document = { paths: Record<string, Record<string, Operation>>; tags: { name: string }[] };
    const answer = await fetch(`${earshot.url}/openapi.json`);
    const { paths, tags } = (await answer.json()) as Document;
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/v1/recordings', '/v1/transcripts']));
    const operations = Object.values(paths).flatMap((path) => Object.values(path));
    expect(
      operations.filter(({ operationId, responses }) => !operationId || !('default' in responses)),
    ).toEqual([]);
    expect(operations.filter(({ summary }) => !summary || summary.includes('\n'))).toEqual([]);
    expect(new Set(operations.map(({ summary }) => summary)).size).toBe(operations.length);
    const groups = tags.map(({ name }) => name);
    expect(groups).toEqual(['recordings', 'transcripts', 'dead letters', 'usage', 'operations']);
    expect(operations.filter((one) => !one.tags?.every((tag) => groups.includes(tag)))).toEqual([]);
  });
});

describe('the command line beside it', () => {
  const submit = (...args: string[]) => runSource('combined/src/main.ts', { EARSHOT_HOME: home }, args);

  it('submits to the running one, whatever the name of the file, and prints the transcript', async () => {
    const odd = join(folder.path, "a b\n'ünï'.wav");
    await copyFile(sample, odd);
    const command = submit(odd, '--format', 'srt');
    expect(await command.exit).toBe(0);
    expect(command.stdout()).toMatch(/^1\n00:00:0/);
  });

  it('prints the coded error of what cannot be transcribed, still transcribes the rest, and exits 1', async () => {
    const text = join(folder.path, 'notes.txt');
    await writeFile(text, 'these are notes, not speech');
    const command = submit(text, sample, join(folder.path, 'none.wav'));
    expect(await command.exit).toBe(1);
    expect(command.stderr()).toContain('notes.txt: not_audio');
    expect(command.stderr()).toContain('none.wav: not_found');
    expect(wordErrorRate(BECKETT, command.stdout()).rate).toBeLessThanOrEqual(0.1);
  });

  it('says who is running when it is started a second time', async () => {
    const second = runSource('combined/src/main.ts', { EARSHOT_HOME: home, PORT: '0' });
    expect(await second.exit).toBe(1);
    expect(second.stderr()).toContain(`process ${earshot.child.pid} at ${earshot.url}`);
  });

  it('says that a port is taken', async () => {
    const port = new URL(earshot.url).port;
    const other = runSource('combined/src/main.ts', { EARSHOT_HOME: join(folder.path, 'other'), PORT: port });
    expect(await other.exit).toBe(1);
    expect(other.stderr()).toContain(`port ${port} is taken`);
  });

  it('explains wrong usage and every wrong setting at once', async () => {
    const usage = submit('--formt', 'srt', sample);
    expect(await usage.exit).toBe(2);
    expect(usage.stderr()).toContain('npm start -- talk.mp3');
    const wrong = runSource('combined/src/main.ts', {
      EARSHOT_HOME: home,
      PORT: 'x',
      REDIS_URL: 'redis://x',
    });
    expect(await wrong.exit).toBe(2);
    for (const name of ['PORT', 'REDIS_URL']) expect(wrong.stderr()).toContain(name);
  });
});

it('ends with an error when a part of it dies, and leaves no process', async () => {
  const own = await startEarshot(join(folder.path, 'dying'));
  const [nats = 0, postgres = 0] = await serverPids(join(folder.path, 'dying'));
  process.kill(nats, 'SIGKILL');
  expect(await own.exit).toBe(1);
  expect(own.stdout()).toContain('nats-server ended');
  await eventually('PostgreSQL to be gone', () => !isAlive(postgres));
});

async function serverPids(home: string): Promise<number[]> {
  const state = await readFile(join(home, 'servers.json'), 'utf8');
  const { nats, postgres } = JSON.parse(state) as Record<'nats' | 'postgres', { pid: number }>;
  return [nats.pid, postgres.pid];
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
