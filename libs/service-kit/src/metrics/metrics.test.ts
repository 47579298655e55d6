import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { eventually } from '@earshot/testkit';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { createHttpServer } from '../http-server.ts';
import { createLogger } from '../logger.ts';
import { openDoor } from '../principal.ts';
import { registerMetrics } from './http-metrics.ts';
import { MachineUse } from './machine-use.ts';
import type { MetricSpec, Metrics } from './metrics.ts';
import { openMetrics, wantsOtlpMetrics } from './open-metrics.ts';
import { reportProcess } from './process-metrics.ts';

const log = createLogger({ service: 'test', level: 'silent' });
const jobs: MetricSpec<'outcome'> = { name: 'x_jobs_total', kind: 'counter', help: 'h', labels: ['outcome'] };
const wait: MetricSpec<never> = {
  name: 'x_wait_seconds',
  kind: 'histogram',
  help: 'h',
  labels: [],
  buckets: [1, 5],
};
const length: MetricSpec<'lane'> = { name: 'x_length', kind: 'gauge', help: 'h', labels: ['lane'] };

let metrics: Metrics;
const open = async (env: Record<string, string> = {}) => {
  metrics = await openMetrics({ service: 'test', log, env });
  return metrics;
};
afterEach(() => metrics?.close());

/** The lines of a metric, without comments. */
const linesOf = async (name: string) =>
  (await metrics.scrape()).split('\n').filter((line) => line.startsWith(name));

describe('metrics of a process', () => {
  it('are seen as 0 from the first scrape, under the very names they were given', async () => {
    const { start } = await open();
    start(jobs, { outcome: 'done' });
    start(wait, {});
    expect(await linesOf('x_')).toEqual([
      'x_jobs_total{outcome="done"} 0',
      'x_wait_seconds_count 0',
      'x_wait_seconds_sum 0',
      'x_wait_seconds_bucket{le="1"} 0',
      'x_wait_seconds_bucket{le="5"} 0',
      'x_wait_seconds_bucket{le="+Inf"} 0',
    ]);
  });

  it('count from there on', async () => {
    const { start, add, record } = await open();
    start(jobs, { outcome: 'done' });
    start(wait, {});
    add(jobs, 2, { outcome: 'done' });
    record(wait, 3, {});
    expect(await linesOf('x_jobs')).toEqual(['x_jobs_total{outcome="done"} 2']);
    expect((await linesOf('x_wait')).map((line) => line.split(' ')[1])).toEqual(['1', '3', '0', '1', '1']);
  });

  it('are read at each scrape where they are kept elsewhere, and left out while they cannot be', async () => {
    await open();
    let value: number | undefined = 7;
    metrics.observe([length], (observe) => {
      if (value === undefined) throw new Error('away');
      observe(length, value, { lane: 'low' });
    });
    expect(await linesOf('x_length')).toEqual(['x_length{lane="low"} 7']);
    value = undefined;
    expect(await linesOf('x_length')).toEqual([]);
    value = 9;
    expect(await linesOf('x_length')).toEqual(['x_length{lane="low"} 9']);
  });

  it('tell of the process itself', async () => {
    reportProcess(await open(), () => 0);
    const values = new Map(
      (await metrics.scrape()).split('\n').map((line) => line.split(' ') as [string, string]),
    );
    expect(Number(values.get('process_resident_memory_bytes'))).toBeGreaterThan(10_000_000);
    expect(Number(values.get('process_cpu_seconds_total'))).toBeGreaterThan(0);
    for (const name of ['earshot_cpu_used_ratio', 'earshot_memory_used_ratio']) {
      expect(Number(values.get(name))).toBeGreaterThanOrEqual(0);
      expect(Number(values.get(name))).toBeLessThanOrEqual(1);
    }
  });

  it('tell of its event loop, its heap and its garbage collection', async () => {
    await open();
    const busyUntil = performance.now() + 60;
    while (performance.now() < busyUntil) Math.sqrt(busyUntil);
    const delays = await eventually('a delay that was measured', async () => {
      const lines = await linesOf('nodejs_eventloop_delay_max ');
      return lines.some((line) => Number(line.split(' ').at(-1)) > 0) && lines;
    });
    expect(delays).toHaveLength(1);
    const heap = await linesOf('v8js_memory_heap_used{');
    expect(heap.some((line) => line.includes('"old_space"'))).toBe(true);
    expect(Math.max(...heap.map((line) => Number(line.split(' ').at(-1))))).toBeGreaterThan(1_000_000);
  });
});

describe('a server with metrics', () => {
  it('tells requests by route and class of status, never by address, and asks for no key', async () => {
    const codedError = (_code: string, detail: string) => new Error(detail);
    const describeError = () => ({ status: 500 });
    const door = { authenticate: openDoor('default'), describeError, codedError };
    const server = await createHttpServer({ title: 't', version: '0', logger: log, ...door });
    onTestFinished(() => server.close());
    registerMetrics(server as never, await open());
    server.get('/v1/things/:id', () => ({}));
    server.get('/livez', () => ({}));
    const counts = async () =>
      (await server.inject('/metrics')).body.split('\n').filter((line) => line.includes('_count'));
    const name = 'earshot_http_request_duration_seconds_count';
    const series = `${name}{method="GET",route="/v1/things/:id",status="2xx"}`;
    expect(await counts()).toContain(`${series} 0`);
    for (const id of ['a', 'b']) await server.inject(`/v1/things/${id}`);
    await server.inject('/livez');
    await server.inject('/v1/nothing');
    expect(await counts()).toContain(`${series} 2`);
    expect((await server.inject('/metrics')).body).not.toMatch(/livez|nothing|things\/a/);
  });
});

describe('metrics by OTLP', () => {
  it.each([
    [{}, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c' }, true],
    [{ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://c' }, true],
    [{ OTEL_METRICS_EXPORTER: 'otlp' }, true],
    [{ OTEL_METRICS_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c' }, false],
    [{ OTEL_SDK_DISABLED: 'true', OTEL_METRICS_EXPORTER: 'otlp' }, false],
  ])('are wanted by %j: %s', (env, wanted) => {
    expect(wantsOtlpMetrics(env)).toBe(wanted);
  });

  /** Metrics that go to a collector, and what has arrived there so far. */
  async function pushed(): Promise<() => string> {
    const received: unknown[] = [];
    const collector = createServer(async (request, response) => {
      received.push(await json(request));
      response.setHeader('content-type', 'application/json').end('{}');
    }).listen(0, '127.0.0.1');
    await once(collector, 'listening');
    onTestFinished(() => void collector.close());
    const { port } = collector.address() as { port: number };
    const endpoint = `http://127.0.0.1:${port}`;
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = endpoint;
    onTestFinished(() => void delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT);
    await open({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' });
    return () => JSON.stringify(received);
  }

  it('are pushed under the same names', async () => {
    const arrived = await pushed();
    metrics.add(jobs, 4, { outcome: 'done' });
    await metrics.close();
    expect(arrived()).toContain('"name":"x_jobs_total"');
    expect(arrived()).toContain('"asDouble":4');
    expect(arrived()).toContain('earshot-test');
  });

  it('leave out what is not known at the moment of a push', async () => {
    const arrived = await pushed();
    let away = false;
    metrics.observe([length], (observe) => {
      if (away) throw new Error('away');
      observe(length, 7, { lane: 'low' });
    });
    expect(await linesOf('x_length')).toEqual(['x_length{lane="low"} 7']);
    away = true;
    await metrics.close();
    expect(arrived()).toContain('x_length');
    expect(arrived()).not.toContain('"lane"');
  });
});

it('the machine’s use is measured over the time between two questions', async () => {
  const use = new MachineUse();
  const until = performance.now() + 1_100;
  while (performance.now() < until) Math.sqrt(until);
  expect(use.cpuRatio()).toBeGreaterThan(0);
  expect(use.memoryRatio(1)).toBeGreaterThanOrEqual(0);
});
