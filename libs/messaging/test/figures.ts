import { availableParallelism } from 'node:os';
import { done } from '@earshot/jobs';
import { applyTopology, connectBroker } from '@earshot/messaging';
import { startTestBroker } from '@earshot/testkit';
import { JobBench } from './job-bench.ts';
import { chunkResult, eventually, jobMessage, recordingLog, testTopology } from './support.ts';

/** Prints what this machine does; run: npx tsx --conditions=@earshot/source libs/messaging/test/figures.ts */
const server = await startTestBroker();
const broker = await connectBroker({ servers: [server.url], name: 'figures', log: recordingLog() });
await applyTopology(broker, testTopology([]));
const bench = await new JobBench(() => broker).start();

const say = (text: string) => console.info(text);
const rate = (count: number, ms: number) => `${Math.round((count / ms) * 1_000)}/s`;
const quantile = (values: number[], part: number) =>
  values.toSorted((left, right) => left - right)[Math.floor((values.length - 1) * part)]?.toFixed(1);

/** Runs `work` `count` times, `width` at once; returns milliseconds. */
async function timed(count: number, width: number, work: () => Promise<unknown>): Promise<number> {
  let left = count;
  const startedAt = performance.now();
  const lane = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: width }, lane));
  return performance.now() - startedAt;
}

say(`${availableParallelism()} cores, nats-server ${broker.connection.info?.version}, sync_interval always`);
for (const width of [1, 20, 100]) {
  const count = width * 50;
  const ms = await timed(count, width, () => broker.publisher.publishFirst(chunkResult(bench.job())));
  say(`publishFirst, ${width} at once: ${rate(count, ms)}`);
}

const waits: number[] = [];
let publishedAt = 0;
const idle = bench.loop(async () => {
  waits.push(performance.now() - publishedAt);
  return done();
});
for (let count = 0; count < 300; count += 1) {
  const message = jobMessage(bench.job({ lane: (['low', 'high', 'normal'] as const)[count % 3] ?? 'low' }));
  await broker.publisher.publishFirst(message);
  publishedAt = performance.now();
  await eventually('the job', () => waits.length > count);
}
say(`idle wait from PubAck to handler: p50 ${quantile(waits, 0.5)} ms, p99 ${quantile(waits, 0.99)} ms`);
await idle.stop({ graceMs: 1_000 });

for (const slots of [1, 8, 64]) {
  const count = slots === 1 ? 200 : 1_000;
  await timed(count, 50, () => bench.publish());
  let finished = 0;
  const startedAt = performance.now();
  const loop = bench.loop(
    async ({ data }) => {
      finished += 1;
      return done(chunkResult(data));
    },
    { slots },
  );
  await eventually('all jobs', () => finished === count && loop.active() === 0, 60_000);
  say(`jobs done with a fact each, ${slots} slots: ${rate(count, performance.now() - startedAt)}`);
  await loop.stop({ graceMs: 1_000 });
}

await broker.close();
await server.dispose();
