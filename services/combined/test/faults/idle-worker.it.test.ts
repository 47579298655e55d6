import { afterAll, beforeAll, expect, it } from 'vitest';
import { FaultWorld } from './fault-world.ts';

const IDLE_SECONDS = 2;
let world: FaultWorld;
beforeAll(async () => {
  const env = { EARSHOT_EXIT_WHEN_IDLE_SECONDS: String(IDLE_SECONDS) };
  world = await FaultWorld.start({ workers: 0, env });
});
afterAll(() => world?.close());

it('a worker that ends when there is nothing to do ends after its work, not during it, and loses none', async () => {
  await world.cloud.behave({ answer_ms: 3 * IDLE_SECONDS * 1000 });
  const id = await world.submit();
  const worker = await world.startWorker();
  expect((await world.finished(id)).status).toBe('completed');
  expect(await worker.ended).toEqual({ code: 0, signal: null });
  const [run] = world.chunkRuns();
  const end = worker.lines.find(({ msg }) => msg.startsWith('nothing to do'));
  expect(run?.outcome).toBe('done');
  expect((end?.at ?? 0) - (run?.finishedAt ?? 0)).toBeGreaterThanOrEqual(IDLE_SECONDS * 1000 - 50);

  await world.cloud.behave({ answer_ms: 0 });
  const next = await world.submit();
  expect((await world.transcript(next)).status).toBe('queued');
  const other = await world.startWorker();
  expect((await world.finished(next)).status).toBe('completed');
  expect((await other.ended).code).toBe(0);
  const runs = world.chunkRuns();
  expect(runs.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
    [1, 'done'],
    [1, 'done'],
  ]);
}, 120_000);
