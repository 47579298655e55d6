import { appendFile, chmod, chown, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startChild } from '../../test/child.ts';
import { temporaryFolder } from '../../test/folder.ts';
import { options } from '../../test/real-files.ts';
import { identify, isAlive, signal } from '../processes.ts';
import { waitFor } from '../wait.ts';
import { removeOrphans } from './place.ts';
import { probePostgres } from './probe.ts';
import { type ResolvedPostgres, resolvePostgres } from './resolve.ts';
import { startPostgres } from './start.ts';

const isRoot = process.getuid?.() === 0;
const nobody = { uid: 65_534, gid: 65_534 };

let installation: ResolvedPostgres;
beforeAll(async () => {
  installation = await resolvePostgres(options);
});

async function start(dataDir: string, log?: (line: string) => void) {
  const server = await startPostgres({ installation, dataDir, ...(log === undefined ? {} : { log }) });
  onTestFinished(() => server.stop());
  return server;
}

describe('a PostgreSQL of our own', () => {
  test('is made at the first start, answers, stops, and comes back on its port with its password', async () => {
    const dataDir = join(temporaryFolder(), 'postgres');
    await mkdir(join(dataDir, 'data.new'), { recursive: true });
    await writeFile(join(dataDir, 'data.new', 'PG_VERSION'), 'left by an interrupted first start');
    const first = await start(dataDir);
    expect(first.url).toMatch(/^postgres:\/\/earshot:[\w-]{32}@127\.0\.0\.1:\d+\/earshot$/);
    expect(await probePostgres(first.port, 'earshot', 'earshot')).toBe('ready');
    expect((await stat(join(dataDir, 'password'))).mode & 0o777).toBe(0o600);
    const rules = await readFile(join(first.place, 'data', 'pg_hba.conf'), 'utf8');
    const doors = rules.split('\n').filter((line) => /^(local|host)/.test(line));
    expect(doors.every((line) => line.trim().endsWith('scram-sha-256'))).toBe(true);
    await first.stop();
    expect(await first.exited).toEqual({ code: 0, signal: null });
    expect(await start(dataDir)).toMatchObject({ url: first.url, adopted: false });
  });

  test('left running is adopted, and can be stopped by the one who adopted it', async () => {
    const dataDir = join(temporaryFolder(), 'postgres');
    const child = startChild('postgres-child.ts', [dataDir, options.cacheDir]);
    const left = await child.next<{ url: string; pid: number }>();
    signal(child.pid, 'SIGKILL');
    await child.ended();
    const lines: string[] = [];
    const server = await start(dataDir, (line) => lines.push(line));
    expect(server).toMatchObject({ url: left.url, pid: left.pid, adopted: true });
    expect(lines.join()).toContain('runs already');
    await server.stop();
    expect(identify(left.pid)).toBeUndefined();
  });

  test('comes back after kill -9, after its process number went to another, and says why when it cannot', async () => {
    const dataDir = join(temporaryFolder(), 'postgres');
    const first = await start(dataDir);
    first.kill();
    expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL' });
    const second = await start(dataDir);
    expect(second.adopted).toBe(false);
    await second.stop();
    const data = join(second.place, 'data');
    await writeFile(join(data, 'postmaster.pid'), `${process.pid}\n${data}\n1\n${second.port}\n`);
    const third = await start(dataDir);
    expect(third.adopted).toBe(false);
    await third.stop();
    await appendFile(join(data, 'postgresql.conf'), 'no_such_setting = 1\n');
    await expect(start(dataDir)).rejects.toThrow(/no_such_setting/);
  });
});

describe.runIf(isRoot)('as root', () => {
  test('it runs as another user, and its files move out of a folder that is closed to that user, and are removed once it is gone', async () => {
    const closed = temporaryFolder(0o700);
    const dataDir = join(closed, 'postgres');
    const lines: string[] = [];
    const server = await start(dataDir, (line) => lines.push(line));
    expect(server.place.startsWith(closed)).toBe(false);
    expect(lines.join()).toContain(server.place);
    const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
    expect(Number(/^Uid:\s+(\d+)/m.exec(status)?.[1])).toBe(installation.runAs?.uid);
    expect(installation.runAs?.uid).not.toBe(0);
    await server.stop();
    const again = await start(dataDir);
    expect(again.place).toBe(server.place);
    expect((await stat(closed)).mode & 0o777).toBe(0o700);
    await again.stop();
    await rm(closed, { recursive: true });
    await removeOrphans(dirname(server.place));
    await expect(stat(server.place)).rejects.toThrow('ENOENT');
  });

  test('an ordinary user runs it as himself', async () => {
    const folder = temporaryFolder();
    await chown(folder, nobody.uid, nobody.gid);
    await chmod(folder, 0o700);
    const env = { PATH: process.env.PATH, HOME: folder, TMPDIR: folder };
    const child = startChild('postgres-child.ts', [join(folder, 'postgres'), folder], { ...nobody, env });
    const server = await child.next<{ pid: number; runAs: unknown; place: string }>();
    expect(server).toMatchObject({ runAs: null, place: join(folder, 'postgres') });
    const identity = identify(server.pid);
    child.tell('stop');
    expect(await child.ended()).toBe(0);
    const gone = await waitFor(() => (identity && isAlive(identity) ? undefined : true), { timeoutMs: 5000 });
    expect(gone).toBe(true);
  });
});
