import { factsOf } from './facts.ts';
import { startQueueWorld } from './queue-world.ts';

/**
 * How long a scrape of results takes with a large backlog, on a real broker and PostgreSQL:
 * `npm run bench:scrape`
 */
const JOBS = 100_000;
const AT_ONCE = 2_000;
const SCRAPES = 100;

const world = await startQueueWorld();
const recordings = Array.from({ length: JOBS / 50 }, () => factsOf());
await world.tell(...recordings.flatMap((one) => [one.accepted(), one.split(50)]));
for (let at = 0; at < JOBS; at += AT_ONCE) {
  const jobs = recordings.slice(at / 50, (at + AT_ONCE) / 50);
  await Promise.all(jobs.flatMap((one) => Array.from({ length: 50 }, (_, n) => world.chunk(one, n))));
}
while ((await world.value('earshot_results_lag')) !== 0);
const times: number[] = [];
for (let scrape = 0; scrape < SCRAPES; scrape += 1) {
  const started = performance.now();
  await world.http.inject('/metrics');
  times.push(performance.now() - started);
  await new Promise((resolve) => setTimeout(resolve, 200));
}
times.sort((one, other) => one - other);
const queued = await world.value('earshot_queue_length{stage="chunk",engine="sherpa",lane="normal"}');
const at = (part: number) => (times[Math.ceil(SCRAPES * part) - 1] ?? 0).toFixed(1);
process.stdout.write(
  `${queued} jobs queued: a scrape takes ${at(0.5)} ms (median of ${SCRAPES}), p95 ${at(0.95)} ms, ${at(1)} ms at most\n`,
);
await world.close();
