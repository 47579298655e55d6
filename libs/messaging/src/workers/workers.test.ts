import { STREAMS, type WorkerState, workerStateSubject } from '@earshot/contracts';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, recordingLog, testTopology, timePasses, useBroker } from '../../test/support.ts';
import { connectBroker } from '../connection/connect.ts';
import { applyTopology } from '../topology/apply.ts';
import { pingWorkers, restartPools } from './ask-workers.ts';
import { readFreshStates, readWorkerStates } from './read-worker-states.ts';
import { startWorkerControl, type WorkerControl } from './worker-control.ts';

const PATIENCE_MS = 20_000;

describe('worker control', () => {
  const { broker, server, log } = useBroker();
  const controls: WorkerControl[] = [];
  beforeAll(() => applyTopology(broker(), testTopology(['fake'])));
  afterEach(() => Promise.all(controls.splice(0).map((control) => control.stop())));

  const stateOf = (id: string): WorkerState => ({
    id,
    host: 'h',
    pid: 1,
    version: '0.1.0',
    since: '2026-01-01T00:00:00Z',
    memory_bytes: 1,
    draining: false,
    engines: [],
    active_jobs: [],
  });
  const start = (id: string, restartPool: () => Promise<void> = async () => {}) => {
    const control = startWorkerControl({ broker: broker(), id, state: () => stateOf(id), restartPool, log });
    controls.push(control);
    return control;
  };
  const kept = async () => (await readFreshStates(broker())).map(({ id }) => id);
  const inBucket = (...ids: string[]) =>
    eventually('the bucket', async () => String(await kept()) === String(ids));

  it('is answered by every worker, and does not wait for longer than it takes those that are known', async () => {
    for (const id of ['a-1', 'b-2', 'c-3']) start(id);
    await inBucket('a-1', 'b-2', 'c-3');
    const startedAt = performance.now();
    const states = await pingWorkers(broker(), PATIENCE_MS);
    expect(states).toEqual(['a-1', 'b-2', 'c-3'].map(stateOf));
    expect(performance.now() - startedAt).toBeLessThan(PATIENCE_MS / 2);
  });

  it('waits for a known worker that is gone no longer than it was told to', async () => {
    start('a-1');
    await broker().requests.request(workerStateSubject('dead-1'), JSON.stringify(stateOf('dead-1')), {
      timeoutMs: 2_000,
    });
    await inBucket('a-1', 'dead-1');
    expect((await pingWorkers(broker(), 200)).map(({ id }) => id)).toEqual(['a-1']);
  });

  it('ends at once where there is no worker at all', async () => {
    const startedAt = performance.now();
    expect(await pingWorkers(broker(), PATIENCE_MS)).toEqual([]);
    expect(performance.now() - startedAt).toBeLessThan(PATIENCE_MS / 2);
  });

  it('renews the pools of the workers named, once however often it is asked meanwhile', async () => {
    let renewals = 0;
    let finish = () => {};
    start('a-1', () => {
      renewals += 1;
      return new Promise((resolve) => {
        finish = resolve;
      });
    });
    start('b-2', () => Promise.reject(new Error('no memory for another child')));
    const asked = [restartPools(broker(), ['a-1', 'b-2', 'gone-3'], PATIENCE_MS)];
    await eventually('the request', () => renewals === 1);
    asked.push(restartPools(broker(), ['a-1'], PATIENCE_MS));
    // The second request is at the worker once a later one on the same connection is answered.
    await pingWorkers(broker(), 500);
    finish();
    expect(await Promise.all(asked)).toEqual([['a-1'], ['a-1']]);
    expect(renewals).toBe(1);
    expect(log.lines.find(({ message }) => message === 'pool restart failed')?.fields).toMatchObject({
      worker: 'b-2',
      detail: 'no memory for another child',
    });
  });

  it('does not count a worker that did not renew its pool in time', async () => {
    start('a-1', () => new Promise(() => {}));
    expect(await restartPools(broker(), ['a-1'], 100)).toEqual([]);
  });

  it('keeps the state of a worker in the bucket until it stops', async () => {
    const control = start('a-1');
    await eventually('the entry', async () => (await kept()).includes('a-1'));
    await control.stop();
    expect(await kept()).not.toContain('a-1');
  });

  it('survives the loss of the bucket, and what lies in it that is no state', async () => {
    start('a-1');
    await eventually('the entry', async () => (await kept()).includes('a-1'));
    await broker().api.call(`STREAM.DELETE.${STREAMS.workers}`);
    expect(await kept()).toEqual([]);
    expect((await pingWorkers(broker(), 200)).map(({ id }) => id)).toEqual(['a-1']);
    await applyTopology(broker(), testTopology(['fake']));
    await broker().requests.request(workerStateSubject('junk'), '{"id":7}', { timeoutMs: 2_000 });
    await eventually('the entry to be back', async () => String(await kept()) === 'a-1', PATIENCE_MS);
  });

  it('reads the bucket at most once in 2 s', async () => {
    const other = await connectBroker({ servers: [server().url], name: 'reader', log: recordingLog() });
    expect(await readWorkerStates(other)).toEqual([]);
    start('a-1');
    await eventually('the entry', async () => (await kept()).includes('a-1'));
    expect(await readWorkerStates(other)).toEqual([]);
    await eventually('a fresh answer', async () => (await readWorkerStates(other)).length === 1);
    await other.close();
  });

  it('cannot be asked over a connection that is being closed, and nothing comes of it later', async () => {
    const other = await connectBroker({ servers: [server().url], name: 'closing', log: recordingLog() });
    const closed = other.drain();
    await expect(pingWorkers(other, 20)).rejects.toThrow();
    await closed;
    await timePasses(40);
  });

  it('stays silent when a worker cannot tell its state, and keeps the connection', async () => {
    const broken = () => {
      throw new Error('no state');
    };
    const options = { broker: broker(), id: 'a-1', restartPool: async () => {}, log };
    controls.push(startWorkerControl({ ...options, state: broken }));
    expect(await pingWorkers(broker(), 200)).toEqual([]);
    await broker().requests.request(workerStateSubject('after'), '{}', { timeoutMs: 2_000 });
  });

  it('answers again after a restart of the server', async () => {
    start('a-1');
    await server().kill();
    await eventually('the loss to be noticed', () => !broker().link.connected);
    await expect(pingWorkers(broker(), 50)).rejects.toMatchObject({ code: 'unavailable' });
    await server().start();
    await eventually('an answer', async () => (await pingWorkers(broker(), 500)).length === 1, PATIENCE_MS);
  });
});
