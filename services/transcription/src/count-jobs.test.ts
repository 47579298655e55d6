import { METRICS } from '@earshot/contracts';
import { createLogger, openMetrics } from '@earshot/service-kit';
import { expect, it, onTestFinished } from 'vitest';
import type { GuardedEngine } from './circuit/guarded-engine.ts';
import { both, countAudio, countJobs } from './count-jobs.ts';
import { noPaidCalls } from './paid/paid-call-counts.ts';
import { reportEngines } from './report-engines.ts';

async function open() {
  const log = createLogger({ service: 'test', level: 'silent' });
  const metrics = await openMetrics({ service: 'test', log, env: {} });
  onTestFinished(() => metrics.close());
  const lines = async (name: string) =>
    (await metrics.scrape()).split('\n').filter((line) => line.startsWith(name));
  return { metrics, lines };
}

const message = { subject: 'jobs.chunk.x', delivery: 1 };

it('jobs are counted by how they ended, each outcome as 0 before', async () => {
  const { metrics, lines } = await open();
  const on = countJobs(metrics, 'chunk', 'fake');
  expect((await lines(METRICS.jobs.name)).map((line) => line.split(' ')[1])).toEqual(Array(8).fill('0'));
  for (const settled of ['done', 'done', 'lease_lost'] as const)
    on.settled?.({ ...message, settled, ms: 2_000 });
  on.alreadyThere?.(message.subject);
  const counted = (await lines('earshot_jobs_total')).filter((line) => !line.endsWith(' 0'));
  expect(counted).toEqual([
    'earshot_jobs_total{stage="chunk",engine="fake",outcome="done"} 2',
    'earshot_jobs_total{stage="chunk",engine="fake",outcome="lease_lost"} 1',
  ]);
  expect(await lines('earshot_job_duration_seconds_sum')).toEqual([
    'earshot_job_duration_seconds_sum{stage="chunk",engine="fake"} 6',
  ]);
  expect(await lines('earshot_results_second_total')).toEqual([
    'earshot_results_second_total{stage="chunk",engine="fake"} 1',
  ]);
});

it('a wait is told once for a message, by the first who takes it', async () => {
  const { metrics, lines } = await open();
  const on = countJobs(metrics, 'split');
  on.taken?.({ ...message, waitMs: 1_500 });
  on.taken?.({ ...message, delivery: 2, waitMs: 60_000 });
  expect(await lines('earshot_job_wait_seconds_sum')).toEqual([
    'earshot_job_wait_seconds_sum{stage="split",engine=""} 1.5',
  ]);
});

it('audio is counted when a chunk got a result, and not when it had one', async () => {
  const { metrics, lines } = await open();
  const job = { data: { start_ms: 60_000, end_ms: 90_000 } } as never;
  const first = countAudio(metrics, 'fake', async () => ({ kind: 'done', publish: [{} as never] }));
  const again = countAudio(metrics, 'fake', async () => ({ kind: 'done', publish: [] }));
  await first(job);
  await again(job);
  expect(await lines('earshot_audio_seconds')).toEqual(['earshot_audio_seconds_total{engine="fake"} 30']);
});

it('an engine that is down and what happened to paid calls is told as it is now', async () => {
  const { metrics, lines } = await open();
  const engine = { info: { name: 'fake' }, circuit: 'closed' } as {
    -readonly [K in keyof GuardedEngine]: GuardedEngine[K];
  };
  const counts = noPaidCalls();
  reportEngines(metrics, [engine as GuardedEngine], counts);
  const down = 'earshot_engine_circuit_open{engine="fake"}';
  expect(await lines('earshot_engine')).toEqual([`${down} 0`]);
  engine.circuit = 'half_open';
  counts.double += 2;
  expect(await lines('earshot_engine')).toEqual([`${down} 1`]);
  expect(await lines('earshot_paid_calls_total{event="double"}')).toEqual([
    'earshot_paid_calls_total{event="double"} 2',
  ]);
});

it('two listeners hear of everything', () => {
  const heard: string[] = [];
  const listener = (name: string) => ({
    taken: () => heard.push(`${name} taken`),
    settled: () => heard.push(`${name} settled`),
    alreadyThere: () => heard.push(`${name} there`),
    surplus: () => heard.push(`${name} surplus`),
  });
  const on = both(listener('a'), listener('b'));
  on.taken?.({ ...message, waitMs: 0 });
  on.settled?.({ ...message, settled: 'done', ms: 0 });
  on.alreadyThere?.('x');
  on.surplus?.('x');
  expect(heard).toEqual(
    ['taken', 'settled', 'there', 'surplus'].flatMap((what) => [`a ${what}`, `b ${what}`]),
  );
});
