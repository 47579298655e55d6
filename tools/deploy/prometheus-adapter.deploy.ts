import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { jobLanes, METRICS } from '@earshot/contracts';
import { createLogger, openMetrics } from '@earshot/service-kit';
import { afterAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { findPromtool } from './promtool.mjs';

const run = promisify(execFile);
const hpa = join(import.meta.dirname, '../../k8s/components/hpa');
const { rules } = parse(await readFile(join(hpa, 'prometheus-adapter.yaml'), 'utf8'));
const [rule] = rules.external;
const autoscaler = parse(await readFile(join(hpa, 'autoscaler.yaml'), 'utf8'));
const work = await mkdtemp(join(tmpdir(), 'earshot-adapter-'));
afterAll(() => rm(work, { recursive: true, force: true }));

/** As the adapter fills it in for the namespace of the autoscaler that asks. */
const query = rule.metricsQuery.replaceAll('<<.LabelMatchers>>', 'namespace="earshot"');

/** What one replica of results tells, as Prometheus reads it: jobs of each lane, with the labels of the replica added. */
async function seriesOf(jobs: (lane: number) => number, labels: string): Promise<object[]> {
  const metrics = await openMetrics({
    service: 'results',
    log: createLogger({ service: 'results', level: 'silent' }),
    env: {},
  });
  const lanes = jobLanes({ engines: ['sherpa', 'google'], maxAckPending: {} });
  metrics.observe([METRICS.queueLength], (observe) => {
    for (const [n, { stage, engine, lane }] of lanes.entries())
      observe(METRICS.queueLength, jobs(n), { stage, engine: engine ?? '', lane });
  });
  const text = await metrics.scrape();
  await metrics.close();
  const lines = text.split('\n').filter((line) => line.startsWith(`${METRICS.queueLength.name}{`));
  expect(lines).toHaveLength(lanes.length);
  return lines.map((line) => {
    const [series = '', value = ''] = line.split('} ');
    return { series: `${series},${labels}}`, values: `${value}x5` };
  });
}

it('the adapter answers the autoscaler with the jobs of all lanes, once for all replicas of results, of its namespace', async () => {
  const promtool = await findPromtool();
  if (!promtool) throw new Error('install promtool (Debian: the package prometheus) or Go');
  expect(autoscaler.spec.metrics[0].external.metric.name).toBe(rule.name.as);
  expect(query).not.toContain('<<');
  const input_series = [
    ...(await seriesOf((n) => n, 'namespace="earshot",pod="results-1"')),
    // Read a moment later: of each lane the larger figure counts.
    ...(await seriesOf((n) => (n === 0 ? 4 : n), 'namespace="earshot",pod="results-2"')),
    ...(await seriesOf(() => 100, 'namespace="other",pod="results-1"')),
  ];
  const exp_samples = [{ labels: '{}', value: 4 + 1 + 2 + 3 + 4 + 5 + 6 + 7 + 8 }];
  const promql_expr_test = [{ expr: query, eval_time: '3m', exp_samples }];
  const file = join(work, 'adapter.yml');
  await writeFile(file, stringify({ tests: [{ interval: '1m', input_series, promql_expr_test }] }));
  await run(promtool, ['test', 'rules', file]).catch(({ stdout, stderr }) =>
    expect(stdout + stderr).toBe(''),
  );
});
