import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.ts';
import { options } from '../../test/real-files.ts';
import { resolveNatsServer } from '../pieces/nats-server.ts';
import { natsInfo } from './nats-info.ts';
import { type NatsServerOptions, startNatsServer } from './nats-server.ts';

let binary: string;
beforeAll(async () => {
  binary = (await resolveNatsServer(options)).path;
});

async function start(given: Partial<NatsServerOptions> = {}) {
  const server = await startNatsServer({ binary, dataDir: join(temporaryFolder(), 'nats'), ...given });
  onTestFinished(() => server.stop());
  return server;
}

describe('a nats-server of our own', () => {
  test('answers when start resolves, with JetStream and the disk limit asked for', async () => {
    const server = await start({ monitor: true, maxFileBytes: 123_000_000 });
    expect(await natsInfo(server.port)).toMatchObject({ jetstream: true, max_payload: 1_048_576 });
    const told = await fetch(`${server.monitorUrl}/jsz?accounts=true`);
    const state = (await told.json()) as { config: object; account_details: object[] };
    expect(state.config).toMatchObject({ max_storage: 123_000_000, sync_always: true });
    expect(state.account_details).toMatchObject([{ name: 'EARSHOT', reserved_storage: 123_000_000 }]);
  });

  test('stops when asked, twice too, and comes back on the same port with the same limit', async () => {
    const dataDir = join(temporaryFolder(), 'nats');
    const first = await start({ dataDir, maxFileBytes: 5_000_000 });
    await Promise.all([first.stop(), first.stop()]);
    expect(await first.exited).toEqual({ code: 0, signal: null });
    expect(await natsInfo(first.port)).toBeUndefined();
    const second = await start({ dataDir });
    expect(second).toMatchObject({ url: first.url, adopted: false });
    expect(await readFile(second.configPath, 'utf8')).toContain('max_file_store: 5000000');
  });

  test('tells when it was killed, and starts again on its data', async () => {
    const dataDir = join(temporaryFolder(), 'nats');
    const first = await start({ dataDir });
    first.kill();
    expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect((await start({ dataDir })).adopted).toBe(false);
  });

  test('left running is adopted; asked for on another port it is replaced', async () => {
    const dataDir = join(temporaryFolder(), 'nats');
    const first = await start({ dataDir });
    const second = await start({ dataDir });
    expect(second).toMatchObject({ pid: first.pid, url: first.url, adopted: true });
    const other = await start();
    await other.stop();
    const third = await start({ dataDir, port: other.port });
    expect(third).toMatchObject({ port: other.port, adopted: false });
    await second.exited;
  });

  test('is started once by two who ask at the same time', async () => {
    const dataDir = join(temporaryFolder(), 'nats');
    const both = await Promise.all([start({ dataDir }), start({ dataDir })]);
    expect(both[0].pid).toBe(both[1].pid);
    expect(both.map(({ adopted }) => adopted).sort()).toEqual([false, true]);
  });

  test('keeps its files to itself', async () => {
    const dataDir = join(temporaryFolder(), 'nats');
    const server = await start({ dataDir });
    for (const name of ['nats.conf', 'server.json', 'server.log']) {
      expect((await stat(join(dataDir, name))).mode & 0o777).toBe(0o600);
    }
    expect(server.configPath).toBe(join(dataDir, 'nats.conf'));
  });
});

describe('a start that fails', () => {
  test('says that the port is taken', async () => {
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    onTestFinished(() => void other.close());
    const address = other.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    await expect(start({ port })).rejects.toMatchObject({ code: 'PORT_IN_USE' });
  });

  test('shows the end of the log', async () => {
    const folder = temporaryFolder();
    const broken = join(folder, 'broken');
    await writeFile(broken, '#!/bin/sh\necho it hurts here >&2\nexit 3\n', { mode: 0o755 });
    await expect(start({ binary: broken })).rejects.toThrow(/ended at once.*it hurts here/s);
    await expect(start({ binary: join(folder, 'missing') })).rejects.toMatchObject({ code: 'DID_NOT_START' });
  });

  test('leaves nothing running when the server never answers', async () => {
    const folder = temporaryFolder();
    const mute = join(folder, 'mute');
    await writeFile(mute, '#!/bin/sh\nkill -STOP $$\n', { mode: 0o755 });
    const attempt = start({ binary: mute, dataDir: join(folder, 'nats'), readyTimeoutMs: 200 });
    await expect(attempt).rejects.toThrow(/did not answer/);
    const { pid } = JSON.parse(await readFile(join(folder, 'nats', 'server.json'), 'utf8')) as {
      pid: number;
    };
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});
