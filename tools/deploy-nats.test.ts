import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { eventually, type NatsPermissions, type ServerOfFile, startServerFile } from '@earshot/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from './fence-workspace.ts';

/** The permissions of each user in a server file of ours. */
function usersOf(conf: string): Record<string, unknown> {
  const words = conf.replaceAll(/^\s*#.*$/gm, '');
  const listed = (text: string, name: string) =>
    [...(new RegExp(`${name}: \\[(.*?)\\]`, 's').exec(text)?.[1] ?? '').matchAll(/"([^"]+)"/g)].map(
      ([, subject]) => subject,
    );
  const users = words.split('user: "').slice(1);
  return Object.fromEntries(
    users.map((text) => {
      const [, max, expires] = /allow_responses: \{ max: (\d+), expires: "(\w+)" \}/.exec(text) ?? [];
      const responses = max ? { allow_responses: { max: Number(max), expires } } : {};
      const lists = { publish: listed(text, 'publish'), subscribe: listed(text, 'subscribe') };
      return [text.slice(0, text.indexOf('"')), { ...lists, ...responses }];
    }),
  );
}

const USERS = ['init', 'ingest', 'transcription', 'results', 'combined', 'publisher', 'consumer'];
const variableOf = (user: string) => `NATS_${user.toUpperCase()}_PASSWORD`;
const passwordOf = (user: string) => `p-${user}`;
let server: ServerOfFile;

/** Says `lines` to the server as `user` and returns all it says until it answers the closing PING, or hangs up. */
async function talk(user: string, lines: string[] = [], password = passwordOf(user)): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  const login = JSON.stringify({ user, pass: password, verbose: false, headers: true, no_responders: true });
  socket.write([`CONNECT ${login}`, ...lines, 'PING', ''].join('\r\n'));
  let said = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.includes('PONG')) socket.end();
  });
  await once(socket, 'close');
  return said;
}

beforeAll(async () => {
  const passwords = USERS.map((user) => [variableOf(user), passwordOf(user)]);
  server = await startServerFile(join(repositoryRoot, 'deploy/nats/nats-server.conf'), {
    NATS_SERVER_NAME: 'deploy-test',
    ...Object.fromEntries(passwords),
  });
});
afterAll(() => server.dispose());

it.each(USERS)('lets %s in with its own password only', async (user) => {
  expect(await talk(user, [], 'wrong')).toContain('Authorization Violation');
  expect(await talk(user)).not.toContain('-ERR');
});

const job = 'jobs.split.normal.default.x';
const chunkJob = 'jobs.chunk.sherpa.normal.default.x.1.0';
const fact = (words: string) => `transcripts.default.x.${words}`;
const DELETE_JOBS = '$JS.API.STREAM.DELETE.JOBS';
const EVERYWHERE = [
  '$JS.API.STREAM.DELETE.TRANSCRIPTS',
  '$JS.API.STREAM.RESTORE.JOBS',
  '$JS.API.STREAM.SNAPSHOT.JOBS',
];

describe.each([
  { user: 'publisher', may: ['uploads.default'], not: [job, fact('deleted'), DELETE_JOBS, '$JS.API.INFO'] },
  {
    user: 'consumer',
    may: ['$JS.API.CONSUMER.CREATE.TRANSCRIPTS.consumer', '$JS.API.CONSUMER.MSG.NEXT.TRANSCRIPTS.consumer'],
    not: [
      'uploads.default',
      job,
      fact('completed'),
      '$JS.API.CONSUMER.MSG.NEXT.TRANSCRIPTS.results',
      '$JS.API.CONSUMER.CREATE.TRANSCRIPTS.results',
      '$JS.API.CONSUMER.DELETE.TRANSCRIPTS.consumer',
      '$JS.ACK.TRANSCRIPTS.results.1.1.1.1.0',
      DELETE_JOBS,
    ],
  },
  {
    user: 'init',
    may: ['$JS.API.STREAM.CREATE.JOBS'],
    not: [job, fact('accepted'), 'uploads.default', DELETE_JOBS],
  },
  {
    user: 'ingest',
    may: ['uploads.default', job, fact('accepted')],
    not: [
      chunkJob,
      fact('completed'),
      fact('chunk.1.0'),
      '$JS.API.CONSUMER.MSG.NEXT.JOBS.split-normal',
      DELETE_JOBS,
    ],
  },
  {
    user: 'transcription',
    may: [job, chunkJob, fact('chunk.1.0'), '$KV.spend.google', '$JS.API.STREAM.PURGE.KV_workers'],
    not: [
      fact('accepted'),
      fact('completed'),
      fact('deleted'),
      'uploads.default',
      '$JS.API.STREAM.PURGE.TRANSCRIPTS',
      DELETE_JOBS,
    ],
  },
  {
    user: 'results',
    may: [chunkJob, fact('accepted'), fact('completed')],
    not: [
      fact('chunk.1.0'),
      fact('gave_up.chunk.1.0'),
      '$KV.workers.some-worker',
      '$JS.API.STREAM.MSG.GET.UPLOADS',
      '$JS.API.CONSUMER.MSG.NEXT.JOBS.split-normal',
      DELETE_JOBS,
    ],
  },
  {
    user: 'combined',
    may: ['uploads.default', chunkJob, fact('completed'), '$JS.API.STREAM.CREATE.JOBS'],
    not: ['jobs.other', '$KV.other.x', DELETE_JOBS],
  },
])('$user', ({ user, may, not }) => {
  const publish = (subject: string) => talk(user, [`PUB ${subject} 2`, '{}']);

  it.each(may)('may publish to %s', async (subject) => {
    expect(await publish(subject)).not.toContain('-ERR');
  });

  it.each([...not, ...EVERYWHERE])('may not publish to %s, and is told so', async (subject) => {
    expect(await publish(subject)).toContain(`Permissions Violation for Publish to "${subject}"`);
  });

  it.each(['transcripts.>', 'jobs.>', '>'])('may not listen to %s', async (subject) => {
    expect(await talk(user, [`SUB ${subject} 1`])).toContain('Permissions Violation');
  });
});

it('gives each program in the table of permissions what the table says, and knows no other', async () => {
  const read = (name: string) => readFile(join(repositoryRoot, 'deploy/nats', name), 'utf8');
  const table = JSON.parse(await read('permissions.json')) as Record<string, NatsPermissions>;
  expect(usersOf(await read('nats-server.conf'))).toEqual(table);
});

it.each(USERS)('lets %s hear its own answers and nobody else’s, which carry jobs and facts', async (user) => {
  for (const other of USERS) {
    const said = await talk(user, [`SUB _INBOX_${other}.> 1`]);
    expect(said.includes('Permissions Violation'), other).toBe(other !== user);
  }
  expect(await talk(user, ['SUB _INBOX.> 1'])).toContain('Permissions Violation');
});

it('shows the services the budget of their account', async () => {
  const question = ['SUB _INBOX_ingest.a 1', 'PUB $JS.API.INFO _INBOX_ingest.a 0', ''];
  const answer = await eventually('the account info', async () => {
    const said = await talk('ingest', question);
    return /"max_storage":\s?(\d+)/.exec(said)?.[1];
  });
  expect(Number(answer)).toBeGreaterThan(1_000_000_000);
});
