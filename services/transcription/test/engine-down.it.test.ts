import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CodedError } from '@earshot/domain';
import { eventually } from '@earshot/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EngineRunner } from '../src/engine-runner.ts';
import { WorkerWorld } from './worker-world.ts';

let world: WorkerWorld;
let engine: RemoteEngine;
beforeEach(async () => {
  world = await WorkerWorld.open();
  engine = new RemoteEngine();
});
afterEach(async () => {
  await world.dispose();
  await engine.stop();
});

/** An engine behind HTTP that can be stopped, started on the same port, and refuse. */
class RemoteEngine {
  calls = 0;
  refusals = 0;
  #port = 0;
  #server: Server | undefined;

  async start(): Promise<void> {
    this.#server = createServer((_request, response) => {
      response.statusCode = this.refusals > 0 ? 429 : 200;
      this.refusals -= this.refusals > 0 ? 1 : 0;
      response.end();
    }).listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => (this.#server ? this.#server.close(resolve) : resolve(undefined)));
  }

  runner(): EngineRunner {
    return {
      info: {
        name: 'sherpa',
        model: 'remote',
        capabilities: {
          ...{
            languages: 'any',
            wordTimes: 'none',
            diarization: false,
            wholeRecording: false,
            input: 'samples',
          },
          ...{ maxChunkMs: 80_000, runs: 'parent', billing: 'free' },
        },
      },
      run: async () => {
        this.calls += 1;
        const { status } = await fetch(`http://127.0.0.1:${this.#port}`).catch((cause) => {
          throw new CodedError('unavailable', 'the engine does not answer', { cause });
        });
        if (status === 429) {
          throw new CodedError('quota_exceeded', 'slow down', { retryAfterMs: 1_500 });
        }
        return { segments: [], heard: [], engine_ms: 1, steps: [] };
      },
      restart: async () => {},
      memoryBytes: () => 0,
      close: async () => {},
    };
  }
}

describe('while an engine is down', () => {
  it('it is left alone, no attempt is burnt, and work goes on within 10 s of its return', async () => {
    await engine.start();
    const guarded = await world.startWorker(() => engine.runner(), { slots: 2, maxAttempts: 1 });
    await world.publish(0);
    await world.chunk(0);
    await engine.stop();
    const before = engine.calls;
    for (let n = 1; n <= 30; n += 1) await world.publish(n);
    await eventually('the circuit to open', () => guarded.circuit === 'open');
    await eventually('a first try', () => guarded.circuit === 'half_open');
    await eventually('its failure', () => guarded.circuit === 'open');
    // Three failures, what else was in work, and the one that tried; on a busy machine a few more tries go by unseen.
    expect(engine.calls - before).toBeLessThan(15);
    await engine.start();
    const returned = performance.now();
    await eventually('work to go on', async () => (await world.chunksDone()) > 1);
    expect(performance.now() - returned).toBeLessThan(10_000);
    for (let n = 1; n <= 30; n += 1) expect(await world.chunk(n)).toMatchObject({ attempt: 1 });
    expect(await world.anyGaveUp()).toBe(false);
    expect(world.log.lines.map(({ message }) => message)).toEqual(
      expect.arrayContaining(['engine circuit open', 'engine circuit closed']),
    );
  });

  it('out of quota waits as long as it is told, without an attempt burnt', async () => {
    await engine.start();
    engine.refusals = 1;
    const guarded = await world.startWorker(() => engine.runner(), { slots: 1, maxAttempts: 1 });
    for (let n = 0; n < 5; n += 1) await world.publish(n);
    const until = await eventually('the pause', () => guarded.quotaUntil);
    expect(until.getTime()).toBeGreaterThan(Date.now());
    expect(guarded.circuit).toBe('closed');
    expect(engine.calls).toBe(1);
    for (let n = 0; n < 5; n += 1) expect(await world.chunk(n)).toMatchObject({ attempt: 1 });
    expect(guarded.quotaUntil).toBeUndefined();
    expect(await world.anyGaveUp()).toBe(false);
  });
});
