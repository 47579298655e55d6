import { startTestBroker, type TestBroker } from '@earshot/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually, recordingLog } from '../../test/support.ts';
import type { Broker } from './broker.ts';
import { isAtLeast } from './check-server.ts';
import { connectBroker } from './connect.ts';

describe('connecting', () => {
  const open: { broker?: Broker; server?: TestBroker } = {};
  afterEach(async () => {
    await open.broker?.close();
    await open.server?.dispose();
  });

  it('waits for a server that starts later, and says in the log what to do', async () => {
    open.server = await startTestBroker({ started: false });
    const log = recordingLog();
    const connecting = connectBroker({ servers: [open.server.url], name: 'test', log });
    const line = await eventually('a hint', () => log.lines.find(({ level }) => level === 'warn'));
    expect(line.message).toContain('start nats-server or check NATS_URL');
    await open.server.start();
    open.broker = await connecting;
    expect(await open.broker.ping()).toBeLessThan(2_000);
  });

  it('stops waiting when it is told to', async () => {
    const stop = new AbortController();
    const log = recordingLog();
    const options = { servers: ['nats://127.0.0.1:1'], name: 'test', log, signal: stop.signal };
    const connecting = connectBroker(options);
    stop.abort();
    await expect(connecting).rejects.toThrow(/abort/i);
  });

  it('names the credentials when the server refuses them', async () => {
    open.server = await startTestBroker();
    const stop = new AbortController();
    const log = recordingLog();
    const auth = { user: 'earshot', password: 'wrong' };
    const connecting = connectBroker({
      servers: [open.server.url],
      name: 'test',
      log,
      auth,
      signal: stop.signal,
    });
    const line = await eventually('a hint', () => log.lines.find(({ level }) => level === 'warn'));
    expect(line.message).toContain('NATS_PASSWORD');
    expect(JSON.stringify(log.lines)).not.toContain('wrong');
    stop.abort();
    await expect(connecting).rejects.toThrow(/abort/i);
  });

  it('refuses a server without JetStream', async () => {
    open.server = await startTestBroker({ jetstream: false });
    const connecting = connectBroker({ servers: [open.server.url], name: 'test', log: recordingLog() });
    await expect(connecting).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('`jetstream` block'),
    });
  });

  it('tells by `closed` that the process must end, without an error when we closed it', async () => {
    open.server = await startTestBroker();
    const broker = await connectBroker({ servers: [open.server.url], name: 'test', log: recordingLog() });
    await broker.drain();
    expect(await broker.closed).toBeUndefined();
    await broker.close();
    await broker.drain();
    await expect(broker.ping()).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('does not answer a ping while the server hangs, and comes back with it', async () => {
    open.server = await startTestBroker();
    open.broker = await connectBroker({ servers: [open.server.url], name: 'test', log: recordingLog() });
    open.server.pause();
    await expect(open.broker.ping(200)).rejects.toMatchObject({ code: 'unavailable' });
    open.server.resume();
    expect(await open.broker.ping()).toBeGreaterThan(0);
  });

  it('comes back after a restart of the server however long it took', async () => {
    open.server = await startTestBroker();
    const broker = await connectBroker({ servers: [open.server.url], name: 'test', log: recordingLog() });
    open.broker = broker;
    await open.server.kill();
    await eventually('the loss to be noticed', () => !broker.link.connected);
    await expect(broker.ping(100)).rejects.toMatchObject({ code: 'unavailable' });
    await open.server.start();
    expect(await broker.link.whenConnected(5_000)).toBe(true);
    expect(await broker.ping()).toBeGreaterThan(0);
  });
});

describe('server versions', () => {
  it.each([
    ['2.14.3', true],
    ['2.14.2', false],
    ['2.15.1', true],
    ['3.0.0', true],
    ['2.9.10', false],
    ['2.15.0-RC.1', true],
    ['unknown', false],
  ])('%s is new enough: %s', (version, expected) => {
    expect(isAtLeast(version, '2.14.3')).toBe(expected);
  });
});
