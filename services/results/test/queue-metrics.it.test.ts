import { eventually } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CHUNK_MS, factsOf } from './facts.ts';
import { startQueueWorld } from './queue-world.ts';

let world: Awaited<ReturnType<typeof startQueueWorld>>;
beforeAll(async () => {
  world = await startQueueWorld();
});
afterAll(() => world.close());

const NORMAL = '{stage="chunk",engine="sherpa",lane="normal"}';
const soon = (series: string, value: number) =>
  eventually(`${series} to be ${value}`, async () => (await world.value(series)) === value, 20_000);

it('queues are told without any worker: jobs, their age and their audio, each lane on its own', async () => {
  await soon(`earshot_queue_length${NORMAL}`, 0);
  const one = factsOf();
  await world.tell(one.accepted(), one.split(4), one.chunk(0, 'hello'));
  for (const n of [1, 2, 3]) await world.chunk(one, n);
  await soon(`earshot_queue_length${NORMAL}`, 3);
  await soon('earshot_queue_length{stage="chunk",engine="paid",lane="low"}', 0);
  await soon('earshot_active_workers', 0);
  await soon('earshot_queue_audio_seconds{engine="sherpa",lane="normal"}', (3 * CHUNK_MS) / 1000);
  await soon('earshot_concurrent_users', 1);
  const age = `earshot_queue_oldest_seconds${NORMAL}`;
  await eventually('an age', async () => ((await world.value(age)) ?? 0) > 1, 20_000);
});

it('a job in work stays in the queue, and a job for later is told apart', async () => {
  await world.take('chunk-sherpa-normal', 2);
  await soon(`earshot_active_jobs${NORMAL}`, 2);
  await soon(`earshot_queue_length${NORMAL}`, 3);
  await world.chunk(factsOf(), 0, new Date(Date.now() + 3_600_000));
  await soon('earshot_scheduled_jobs', 1);
  await soon(`earshot_queue_length${NORMAL}`, 3);
});

it('what is given up on and what is completed is told as the tables have it', async () => {
  const [done, failed] = [factsOf(), factsOf()];
  await world.tell(done.accepted(), done.split(1), done.chunk(0, 'hello'));
  await world.tell(failed.accepted(), failed.split(1), failed.gaveUp(0));
  await soon('earshot_transcripts_completed_total{status="completed"}', 1);
  await soon('earshot_dead_letters{stage="chunk"}', 1);
  await soon('earshot_results_lag', 0);
  const { rows } = await world.database.read((tx) =>
    tx.query(
      `SELECT (SELECT count(*) FROM transcripts WHERE status = 'completed') AS completed,
         (SELECT count(*) FROM dead_letters WHERE stage = 'chunk') AS letters,
         (SELECT sum(engine_ms)::float / sum(end_ms - start_ms) FROM chunks) AS factor`,
    ),
  );
  expect(rows[0]).toMatchObject({ completed: 1, letters: 1 });
  await soon('earshot_realtime_factor{engine="sherpa"}', rows[0].factor);
});

it('the route tells the same as the metrics, with an advice that stands for all replicas', async () => {
  const ask = async () => (await world.http.inject('/v1/queue')).json();
  const queue = await ask();
  expect(queue).toMatchObject({
    ...{ queue_length: 3, waiting: 1, active_tasks: 2, scheduled_tasks: 1, failed_tasks: 1, workers: 0 },
    ...{ audio_seconds: (3 * CHUNK_MS) / 1000, failure_ratio: 1 / 3, cpu_ratio: null },
    advice: { workers: 'up', workers_wanted: 1, investigate: true, concurrency: 'lower' },
  });
  expect(
    queue.lanes.find(({ durable }: { durable: string }) => durable === 'chunk-sherpa-normal'),
  ).toMatchObject({
    ...{ waiting: 1, in_flight: 2, served: true },
  });
  expect((await ask()).advice.changed_at).toBe(queue.advice.changed_at);
});
