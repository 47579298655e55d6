import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, tempFolder } from '@earshot/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createChildPool } from '../src/children/child-pool.ts';
import type { EngineRunner, EngineWatcher } from '../src/engine-runner.ts';
import { WorkerWorld } from './worker-world.ts';

let world: WorkerWorld;
beforeEach(async () => {
  world = await WorkerWorld.open();
});
afterEach(() => world.dispose());

type OddEngine = EngineRunner & { pids(): number[] };

/** The odd engine in real children; the language of a job says what it does with it. */
async function oddEngine(watcher: EngineWatcher, settings = 'model'): Promise<OddEngine> {
  const entry = new URL('./children/odd-child.ts', import.meta.url);
  const pool = createChildPool({
    engine: 'odd',
    settings,
    size: 2,
    memoryLimitMb: 220,
    entry,
    watcher,
    log: world.log,
  });
  return {
    info: { ...(await pool.ready()), name: 'sherpa' },
    run: (...call) => pool.run(...call),
    restart: () => pool.restart(),
    memoryBytes: () => pool.memoryBytes(),
    close: () => pool.close(),
    pids: () => pool.pids(),
  };
}

/** Kills children until there are none; a chunk in a dying one would be a failed attempt. */
async function allDead(pids: () => number[]): Promise<void> {
  const killed = new Set<number>();
  await eventually('all children to be dead', () => {
    for (const pid of pids().filter((one) => !killed.has(one))) {
      killed.add(pid);
      process.kill(pid, 'SIGKILL');
    }
    return pids().length === 0;
  });
}

it.each([
  ['segfault', 'worker_crashed', /SIGSEGV/, /ort: bad node/],
  ['eat-memory', 'out_of_memory', /the limit is 220 MB/, /eating/],
])(
  'a chunk that makes children die (%s) is given up with evidence, and its neighbours go on',
  async (oddity, code, detail, words) => {
    await world.startWorker((watcher) => oddEngine(watcher), { slots: 2, maxAttempts: 2 });
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

it('children that cannot start stop the work, burn no attempt, and let it go on soon after the repair', async () => {
  const folder = await tempFolder();
  const damage = join(folder.path, 'model.damaged');
  let pids = () => [] as number[];
  const engine = await world.startWorker(
    async (watcher) => {
      const runner = await oddEngine(watcher, join(folder.path, 'model'));
      pids = runner.pids;
      return runner;
    },
    { slots: 2, maxAttempts: 1 },
  );
  await world.publish(0);
  await world.chunk(0);
  await writeFile(damage, '');
  await allDead(() => pids());
  for (let n = 1; n <= 5; n += 1) await world.publish(n);
  await eventually('the circuit to open', () => engine.circuit === 'open', 30_000);
  await rm(damage);
  for (let n = 1; n <= 5; n += 1) expect(await world.chunk(n, 60_000)).toMatchObject({ attempt: 1 });
  expect(await world.anyGaveUp()).toBe(false);
  await folder.remove();
}, 180_000);
