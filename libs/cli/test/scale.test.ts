import { expect, it, onTestFinished } from 'vitest';
import { run, startApi } from './api.ts';

const QUEUE = {
  ...{ queue_length: 14, waiting: 12, active_tasks: 2, scheduled_tasks: 1, failed_tasks: 3 },
  ...{ oldest_seconds: 90, audio_seconds: 720, workers: 1, slots: 2 },
  ...{ cpu_ratio: 0.5, memory_ratio: null, failure_ratio: 0, realtime_factor: 0.1, lanes: [] },
  clearance: { minutes: 0.6, workers: 1, within_minutes: 30 },
  advice: {
    ...{ workers: 'up', workers_wanted: 2, concurrency: 'same', investigate: false },
    ...{ reasons: ['12 jobs wait, more than 10: scale up'], changed_at: '', steady_until: '' },
  },
};

async function scale(queue: object, ...args: string[]) {
  const api = await startApi({ 'GET /v1/queue': queue });
  onTestFinished(() => api.close());
  return (await run(['scale', ...args], { EARSHOT_URL: api.url })).stdout;
}

it('the advice comes first, with its reasons, the figures and how long the backlog takes', async () => {
  expect((await scale(QUEUE)).split('\n')).toEqual([
    'scale up: 1 → 2 workers',
    '  12 jobs wait, more than 10: scale up',
    '',
    'queue 14 (12 waiting, 2 in work), 1 for later, 3 failed; the oldest for 1.5 min',
    'CPU 50 %, memory unknown, failures 0 %',
    '12.0 min of audio × 0.100 realtime factor ÷ 2 slots: 1 workers clear it in 0.6 min, 1 in 30 min',
    '',
  ]);
});

it('concurrency and failures are told beside the workers, and what is not known is said so', async () => {
  const advice = { ...QUEUE.advice, workers: 'same', concurrency: 'lower', investigate: true };
  const text = await scale({ ...QUEUE, realtime_factor: null, advice });
  expect(text.split('\n')[0]).toBe('keep 1 workers; lower the concurrency; find out why so much fails');
  expect(text).toContain('how long the backlog takes is not known');
});

it('programs get what the API answers', async () => {
  expect(JSON.parse(await scale(QUEUE, '--json'))).toEqual(QUEUE);
});
