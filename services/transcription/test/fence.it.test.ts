import { afterEach, beforeEach, expect, it } from 'vitest';
import { createChildPool } from '../src/children/child-pool.ts';
import type { EngineRunner } from '../src/engine-runner.ts';
import { WorkerWorld } from './worker-world.ts';

let world: WorkerWorld;
beforeEach(async () => {
  world = await WorkerWorld.open();
});
afterEach(() => world.dispose());

/** The odd engine in real children; the language of a job says what it does with it. */
async function oddEngine(settings = 'model'): Promise<EngineRunner> {
  const entry = new URL('./children/odd-child.ts', import.meta.url);
  const pool = createChildPool({
    engine: 'odd',
    settings,
    size: 2,
    memoryLimitMb: 220,
    entry,
    log: world.log,
  });
  return {
    info: { ...(await pool.ready()), name: 'sherpa' },
    run: (...call) => pool.run(...call),
    restart: () => pool.restart(),
    memoryBytes: () => pool.memoryBytes(),
    close: () => pool.close(),
  };
}

it.each([
  ['segfault', 'worker_crashed', /SIGSEGV/, /ort: bad node/],
  ['eat-memory', 'out_of_memory', /the limit is 220 MB/, /eating/],
])(
  'a chunk that makes children die (%s) is given up with evidence, and its neighbours go on',
  async (oddity, code, detail, words) => {
    world.startWorker(await oddEngine(), { slots: 2, maxAttempts: 2 });
    await world.publish(0, oddity);
    for (let n = 1; n <= 4; n += 1) await world.publish(n);
    const given = await world.gaveUp(0);
    expect(given).toMatchObject({ code, attempt: 2, n: 0, start_ms: 0, end_ms: 1000 });
    expect(given.evidence).toEqual({
      detail: expect.stringMatching(detail),
      stderr_tail: expect.stringMatching(words),
      worker: 'w-1',
      trace_id: world.traceId,
    });
    for (let n = 1; n <= 4; n += 1) expect(await world.chunk(n)).toMatchObject({ attempt: 1 });
  },
);
