import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startChild } from '../../test/child.ts';
import { temporaryFolder } from '../../test/folder.ts';
import { options } from '../../test/real-files.ts';
import { resolveNatsServer } from '../pieces/nats-server.ts';
import { probePostgres } from '../postgres/probe.ts';
import { identify, signal } from '../processes.ts';
import { waitFor } from '../wait.ts';
import { natsInfo } from './nats-info.ts';
import { startOrJoinServers } from './shared-servers.ts';

interface Told {
  natsUrl: string;
  databaseUrl: string;
  owned: boolean;
}

beforeAll(() => resolveNatsServer(options));

const portOf = (url: string) => Number(new URL(url).port);
const natsAnswers = async (told: Told) => (await natsInfo(portOf(told.natsUrl))) !== undefined;
const postgresAnswers = async (told: Told) =>
  (await probePostgres(portOf(told.databaseUrl), 'earshot', 'earshot')) === 'ready';

async function bothAnswer(told: Told): Promise<boolean[]> {
  return Promise.all([natsAnswers(told), postgresAnswers(told)]);
}

/** Joins in this process; with a database elsewhere unless the test is about it, as making one takes a second. */
async function joinHere(home: string, database: 'own' | 'elsewhere' = 'elsewhere') {
  const databaseUrl = database === 'own' ? {} : { databaseUrl: 'postgres://somewhere/else' };
  const servers = await startOrJoinServers({ home, options, ...databaseUrl });
  onTestFinished(() => servers.leave());
  return servers;
}

describe('processes on one home', () => {
  test('share the servers whoever comes first, and the last to leave stops them', async () => {
    const home = join(temporaryFolder(), 'home');
    const children = [1, 2].map(() => startChild('join-child.ts', [home]));
    const [first, second] = await Promise.all(children.map((child) => child.next<Told>()));
    if (first === undefined || second === undefined) throw new Error('no answer');
    expect([first.natsUrl, first.databaseUrl]).toEqual([second.natsUrl, second.databaseUrl]);
    expect([first.owned, second.owned].sort()).toEqual([false, true]);
    expect((await stat(join(home, 'servers.json'))).mode & 0o777).toBe(0o600);
    const [starter, joiner] = first.owned ? children : [...children].reverse();
    starter?.tell('leave');
    expect(await starter?.ended()).toBe(0);
    expect(await bothAnswer(first)).toEqual([true, true]);
    joiner?.tell('leave');
    expect(await joiner?.ended()).toBe(0);
    expect(await bothAnswer(first)).toEqual([false, false]);
    await expect(stat(join(home, 'servers.json'))).rejects.toThrow('ENOENT');
  });

  test('do not lose them when the one who started them is killed', async () => {
    const home = join(temporaryFolder(), 'home');
    const starter = startChild('join-child.ts', [home]);
    const told = await starter.next<Told>();
    signal(starter.pid, 'SIGKILL');
    await starter.ended();
    expect(await bothAnswer(told)).toEqual([true, true]);
    const servers = await joinHere(home, 'own');
    expect(servers).toMatchObject({ natsUrl: told.natsUrl, databaseUrl: told.databaseUrl, owned: false });
    await servers.leave();
    expect(await bothAnswer(told)).toEqual([false, false]);
  });

  test('hear of a server that dies, and the next one who comes starts it again for all', async () => {
    const home = join(temporaryFolder(), 'home');
    const first = await joinHere(home);
    const { nats } = JSON.parse(await readFile(join(home, 'servers.json'), 'utf8')) as {
      nats: { pid: number };
    };
    signal(nats.pid, 'SIGKILL');
    expect(await first.exited).toMatchObject({ name: 'nats-server' });
    const second = await joinHere(home);
    expect(second).toMatchObject({ natsUrl: first.natsUrl, owned: true });
    await second.leave();
    expect(await natsAnswers(first)).toBe(true);
    await first.leave();
    expect(await natsAnswers(first)).toBe(false);
  });

  test('one process may join twice; leaving twice counts once', async () => {
    const home = join(temporaryFolder(), 'home');
    const [first, second] = [await joinHere(home), await joinHere(home)];
    await Promise.all([first.leave(), first.leave()]);
    expect(await natsAnswers(second)).toBe(true);
  });

  test('use an address that is given, and start nothing for it', async () => {
    const home = join(temporaryFolder(), 'home');
    const servers = await joinHere(home);
    expect(servers.databaseUrl).toBe('postgres://somewhere/else');
    await expect(stat(join(home, 'postgres'))).rejects.toThrow('ENOENT');
  });
});

test('Ctrl-C in the terminal of one process does not reach the servers', async () => {
  const home = join(temporaryFolder(), 'home');
  const servers = await joinHere(home);
  const { nats } = JSON.parse(await readFile(join(home, 'servers.json'), 'utf8')) as {
    nats: { pid: number };
  };
  const group = (await readFile(`/proc/${nats.pid}/stat`, 'utf8')).split(') ')[1]?.split(' ')[2];
  expect(Number(group)).toBe(nats.pid);
  await servers.leave();
  expect(
    await waitFor(() => (identify(nats.pid) === undefined ? true : undefined), { timeoutMs: 5000 }),
  ).toBe(true);
});
