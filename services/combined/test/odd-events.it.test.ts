import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from '@earshot/client';
import { embeddedOptionsFromEnv, resolveSpeechModel } from '@earshot/embedded';
import { eventually, tempFolder } from '@earshot/testkit';
import { connect, type NatsConnection } from 'nats';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startEarshot } from './earshot-process.ts';

let folder: Awaited<ReturnType<typeof tempFolder>>;
let home: string;
let earshot: Awaited<ReturnType<typeof startEarshot>>;
let client: Client;
let broker: NatsConnection;
let sample: Buffer;

beforeAll(async () => {
  folder = await tempFolder();
  home = join(folder.path, 'home');
  const { samples } = await resolveSpeechModel(embeddedOptionsFromEnv(process.env));
  sample = await readFile(samples.find((path) => path.endsWith('beckett.wav')) ?? '');
  earshot = await startEarshot(home);
  client = new Client({ baseUrl: earshot.url });
  broker = await connect({ servers: earshot.natsUrl });
}, 120_000);

afterAll(async () => {
  await broker?.close();
  await earshot?.interrupt();
  await folder?.remove();
});

const publish = (payload: string | Uint8Array) => broker.jetstream().publish('uploads.default', payload);

/** An upload event whose session is its id. */
const event = (id: string, data: object, attributes: object = {}) =>
  JSON.stringify({
    specversion: '1.0',
    type: 'earshot.recording.uploaded.v1',
    source: 'odd',
    id,
    data: { session_id: id, ...data },
    ...attributes,
  });

async function publishBytes(name: string, bytes: Uint8Array | string): Promise<void> {
  await mkdir(join(home, 'storage/default/odd'), { recursive: true });
  await writeFile(join(home, 'storage/default/odd', name), bytes);
  await publish(event(name, { uri: `default/odd/${name}` }));
}

async function finals() {
  const found = [];
  for await (const transcript of client.transcripts.list({ limit: 100 })) found.push(transcript);
  return found.filter(({ status }) => /completed|partial|failed/.test(status));
}

it('whatever comes to the event door ends as a failed transcript with a dead letter, and the work goes on', async () => {
  const ours = { uri: 'default/odd/good.bin' };
  const playlist = `#EXTM3U\n#EXTINF:10,\nfile://${join(home, 'storage/default/odd/good.bin')}\n#EXT-X-ENDLIST\n`;
  const recordings: [name: string, bytes: Uint8Array | string, code: string][] = [
    ['empty.wav', '', 'empty_file'],
    ['header.wav', sample.subarray(0, 44), 'empty_audio'],
    ['truncated.wav', sample.subarray(0, 30), 'not_audio'],
    [
      'picture.wav',
      Buffer.from('89504e470d0a1a0a0000000d494844520000000100000001080600', 'hex'),
      'not_audio',
    ],
    ['notes.mp3', 'these are notes, not speech '.repeat(100), 'not_audio'],
    ['random.mp3', randomBytes(20_000), 'not_audio'],
    ['playlist.mp3', playlist, 'unsupported'],
    ['session.ogg', 'v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n', 'unsupported'],
  ];
  const events: [session: string, payload: string, code: string][] = [
    ['foreign', event('foreign', { uri: 'other/in/a.wav' }), 'forbidden_key'],
    ['dots', event('dots', { uri: 'default/../other/a.wav' }), 'forbidden_key'],
    ['bucket', event('bucket', { uri: 'gs://bucket/a.wav' }), 'forbidden_bucket'],
    ['engine', event('engine', { ...ours, engine: 'nobody' }), 'unknown_engine'],
    ['language', event('language', { ...ours, language: 'de' }), 'unsupported_language'],
    ['address', event('address', { uri: 5 }), 'invalid_event'],
    ['type', event('type', ours, { type: 'com.example.other' }), 'invalid_event'],
    ['version', event('version', ours, { specversion: '0.3' }), 'invalid_event'],
  ];
  const unreadable = ['not json', '[]', '{}', new Uint8Array([0xff, 0xfe, 0])];
  for (const [name, bytes] of recordings) await publishBytes(name, bytes);
  for (const [, payload] of events) await publish(payload);
  for (const payload of unreadable) await publish(payload);
  await publishBytes('good.bin', sample);

  const odd = recordings.length + events.length + unreadable.length;
  const all = await eventually(
    'all to be final',
    async () => {
      const found = await finals();
      return found.length === odd + 1 ? found : undefined;
    },
    60_000,
  );
  const codes = new Map(
    all.map(({ session_id, id, status, error }) => [session_id ?? id, error?.code ?? status]),
  );
  for (const [session, , code] of [...recordings, ...events])
    expect([session, codes.get(session)]).toEqual([session, code]);
  expect([...codes.values()].filter((code) => code === 'invalid_event')).toHaveLength(3 + unreadable.length);
  expect(codes.get('good.bin')).toBe('completed');
  const letters = [];
  for await (const letter of client.deadLetters.list()) letters.push(letter.transcript_id);
  expect(new Set(letters)).toEqual(
    new Set(all.filter(({ status }) => status === 'failed').map(({ id }) => id)),
  );
});
