import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { done } from '@earshot/jobs';
import { startTestBroker, tempFolder } from '@earshot/testkit';
import type { Authenticator } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gate, JobBench } from '../../test/job-bench.ts';
import { chunkResult, eventually, factsOf, recordingLog } from '../../test/support.ts';
import { authOptions, type BrokerAuth } from './auth.ts';
import type { Broker } from './broker.ts';
import { connectBroker } from './connect.ts';

let folder: Awaited<ReturnType<typeof tempFolder>>;
beforeAll(async () => {
  folder = await tempFolder();
});
afterAll(() => folder.remove());

const fileWith = async (name: string, content: string) => {
  const file = join(folder.path, name);
  await writeFile(file, content);
  return file;
};
const told = (auth: BrokerAuth) => (authOptions(auth).authenticator as Authenticator)('nonce');

describe('a secret in a file', () => {
  it('is read again at each connect, and kept while the file is empty or gone', async () => {
    const file = await fileWith('token', 'first\n');
    const { authenticator } = authOptions({ token: { file } });
    const ask = () => (authenticator as Authenticator)('nonce');
    expect(ask()).toEqual({ auth_token: 'first' });
    await writeFile(file, 'second\n');
    expect(ask()).toEqual({ auth_token: 'second' });
    await writeFile(file, '');
    expect(ask()).toEqual({ auth_token: 'second' });
    await rm(file);
    expect(ask()).toEqual({ auth_token: 'second' });
    expect(() => authOptions({ token: { file } })).toThrow(/ENOENT/);
  });

  it('may be a credentials file, or stand in no file at all', async () => {
    const seed = 'SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY';
    const block = (what: string, text: string) =>
      `-----BEGIN ${what}-----\n${text}\n------END ${what}------\n`;
    const creds = await fileWith(
      'creds',
      `${block('NATS USER JWT', 'a.b.c')}\n${block('USER NKEY SEED', seed)}`,
    );
    expect(told({ creds })).toMatchObject({ jwt: 'a.b.c', nkey: expect.stringMatching(/^U/) });
    expect(told({ user: 'u', password: 'p' })).toEqual({ user: 'u', pass: 'p' });
    expect(told({ token: 't' })).toEqual({ auth_token: 't' });
    expect(authOptions({})).toEqual({});
  });
});

describe('a rotated password', () => {
  it('is taken up by a running worker, whose job goes on; the old one is refused', async () => {
    const server = await startTestBroker({ users: { worker: 'old' } });
    const file = await fileWith('password', 'old');
    const log = recordingLog();
    const servers = [server.url];
    const auth = { user: 'worker', password: { file } };
    const broker: Broker = await connectBroker({ servers, name: 'worker', log, auth });
    const bench = await new JobBench(() => broker).start({ ackWaitSeconds: 10 });
    const finish = gate();
    const loop = bench.loop(
      async ({ data }) => {
        await finish.opened;
        return done(chunkResult(data));
      },
      { settings: { ackWaitMs: 10_000 } },
    );
    const job = await bench.publish();
    await eventually('the start', () => loop.active() === 1);

    await writeFile(file, 'new');
    await server.setUsers({ worker: 'new' });
    const said = (words: string) => log.lines.some(({ message }) => message === words);
    await eventually('the server to end the connection', () => said('NATS disconnected'));
    await eventually('the worker to be back', () => said('NATS reconnected') && broker.link.connected);
    finish.open();
    await eventually('the result', () => broker.facts.last(factsOf(job).chunk(1, 0)));
    await loop.idle();
    expect(loop.seen.settled).toMatchObject([{ settled: 'done', delivery: 1 }]);

    const stop = new AbortController();
    const refused = recordingLog();
    const old = { servers, name: 'old', log: refused, auth: { user: 'worker', password: 'old' } };
    const connecting = connectBroker({ ...old, signal: stop.signal });
    const line = await eventually('a refusal', () => refused.lines.find(({ level }) => level === 'warn'));
    expect(line.message).toContain('the server refuses our credentials');
    stop.abort();
    await expect(connecting).rejects.toThrow(/abort/i);
    await bench.stop();
    await broker.close();
    await server.dispose();
  });
});
