import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { embeddedOptionsFromEnv, resolveNatsServer } from '@earshot/embedded';
import { eventually, freePort, tempFolder } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { repositoryRoot } from './fence-workspace.ts';

const PASSWORDS = { earshot: 'services', publisher: 'events' };
let folder: Awaited<ReturnType<typeof tempFolder>>;
let server: ChildProcess;
let port: number;

/** The committed server file on free ports and a store of its own; everything else as it is. */
async function startOurServerFile(): Promise<void> {
  folder = await tempFolder();
  port = await freePort();
  const committed = await readFile(join(repositoryRoot, 'deploy/nats/nats-server.conf'), 'utf8');
  const file = join(folder.path, 'nats-server.conf');
  await writeFile(
    file,
    committed
      .replace('0.0.0.0:4222', `127.0.0.1:${port}`)
      .replace('0.0.0.0:8222', `127.0.0.1:${await freePort()}`)
      .replace('"/data"', JSON.stringify(join(folder.path, 'store'))),
  );
  const { path } = await resolveNatsServer(embeddedOptionsFromEnv(process.env));
  server = spawn(path, ['--config', file, '--log', join(folder.path, 'log')], {
    stdio: 'ignore',
    env: {
      NATS_SERVER_NAME: 'deploy-test',
      NATS_PASSWORD: PASSWORDS.earshot,
      NATS_PUBLISHER_PASSWORD: PASSWORDS.publisher,
    },
  });
}

/** Says `lines` to the server as `user` and returns all it says until it answers the closing PING, or hangs up. */
async function talk(user: string, password: string, lines: string[] = []): Promise<string> {
  const socket = connect(port, '127.0.0.1');
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
  await startOurServerFile();
  await eventually('nats-server to answer', () => talk('earshot', PASSWORDS.earshot));
});
afterAll(async () => {
  server.kill('SIGKILL');
  if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
  await folder.remove();
});

it('lets nobody in without a password', async () => {
  expect(await talk('earshot', 'wrong')).toContain('Authorization Violation');
  expect(await talk('earshot', PASSWORDS.earshot)).not.toContain('-ERR');
});

it('lets publishers publish upload events and nothing else', async () => {
  const publish = (subject: string) => talk('publisher', PASSWORDS.publisher, [`PUB ${subject} 2`, '{}']);
  expect(await publish('uploads.default')).not.toContain('-ERR');
  const forbidden = [
    'jobs.split.normal.default.x',
    'transcripts.default.x.deleted',
    '$JS.API.STREAM.DELETE.JOBS',
  ];
  for (const subject of forbidden) expect(await publish(subject)).toContain('Permissions Violation');
  const eavesdrop = await talk('publisher', PASSWORDS.publisher, ['SUB transcripts.> 1']);
  expect(eavesdrop).toContain('Permissions Violation');
});

it('shows the services the budget of their account', async () => {
  const question = ['SUB _INBOX.a 1', 'PUB $JS.API.INFO _INBOX.a 0', ''];
  const answer = await eventually('the account info', async () => {
    const said = await talk('earshot', PASSWORDS.earshot, question);
    return /"max_storage":\s?(\d+)/.exec(said)?.[1];
  });
  expect(Number(answer)).toBeGreaterThan(1_000_000_000);
});
