import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { METRICS } from '@earshot/contracts';
import { HTTP_METRICS, PROCESS_METRICS } from '@earshot/service-kit';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { repositoryRoot } from './fence-workspace.ts';

const text = (path: string) => readFile(join(repositoryRoot, path), 'utf8');
const specs = [METRICS, HTTP_METRICS, PROCESS_METRICS].flatMap((table) => Object.values(table));
const known = new Set<string>(
  specs.flatMap(({ name, kind }) =>
    kind === 'histogram' ? ['sum', 'count', 'bucket'].map((part) => `${name}_${part}`) : [name],
  ),
);

/** The metrics an expression names: everything of ours, and of the process. */
const metricsIn = (expr: string) => expr.match(/\b(earshot|process)_[a-z_]+/g) ?? [];
const unknownIn = (expr: string) => metricsIn(expr).filter((name) => !known.has(name));

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook: string };
}
const file = parse(await text('deploy/prometheus/rules.yml')) as { groups: { rules: Rule[] }[] };
const rules = file.groups.flatMap((group) => group.rules);

it('a name that nothing tells is found, and so is a histogram without its part', () => {
  expect(unknownIn('sum(earshot_queue_length) + earshot_typo_total / earshot_job_wait_seconds')).toEqual([
    'earshot_typo_total',
    'earshot_job_wait_seconds',
  ]);
});

describe.each(rules)('the alert $alert ($labels.severity)', ({ alert, expr, annotations }) => {
  it('names only metrics that exist', () => {
    expect(metricsIn(expr).length).toBeGreaterThan(0);
    expect(unknownIn(expr)).toEqual([]);
  });

  it('tells its value, and has a runbook and tests for firing and for silence', async () => {
    expect(annotations.description).toMatch(/\{\{ \$value/);
    expect(annotations.runbook).toBe(`docs/operations/alerts/${alert}.md`);
    const runbook = await text(annotations.runbook);
    expect(runbook).toMatch(/^# \w+\n[\s\S]+\n## Look\n[\s\S]+\n## Do\n/);
    expect(runbook).toContain(expr.trim().replaceAll('|', '\\|'));
    const tests = parse(await text(`deploy/prometheus/tests/${alert}.yml`)) as {
      tests: { name: string }[];
    };
    const names = tests.tests.map(({ name }) => name.split(' ')[0]);
    expect(names).toContain('fires');
    expect(names).toContain('is');
  });
});

it('every alert of the guide has its threshold', () => {
  const thresholds = Object.fromEntries(
    rules.map(({ alert, labels, expr, ...rule }) => [`${alert} ${labels.severity}`, [expr.trim(), rule.for]]),
  );
  const ends = (key: string, end: string, after?: string) => {
    expect(thresholds[key]?.[0]).toMatch(new RegExp(`${end.replace('.', '\\.')}$`));
    if (after) expect(thresholds[key]?.[1]).toBe(after);
  };
  ends('HighQueueLength warning', '> 20', '2m');
  ends('SlowProcessing warning', '> 300');
  ends('HighFailureRate warning', '> 0.05');
  ends('HighFailureRate critical', '> 0.1', '5m');
  ends('SlowJobs warning', '> 600');
  ends('HighCpu warning', '> 0.8');
  ends('HighMemory warning', '> 0.85');
  ends('TrafficSpike warning', '> 100');
  expect(thresholds['NoActiveWorkers critical']?.[1]).toBe('30s');
  expect(thresholds['LowThroughput warning']?.[0]).toContain('[1h])) < 10');
});

it('dashboards name only metrics that exist, in the rows of the guide', async () => {
  const folder = 'deploy/grafana';
  const files = await readdir(join(repositoryRoot, folder));
  for (const name of files.filter((each) => each.endsWith('.json'))) {
    const board = JSON.parse(await text(`${folder}/${name}`)) as {
      panels: { type: string; title: string; targets?: { expr: string }[] }[];
    };
    const queries = board.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(queries.length).toBeGreaterThan(20);
    expect(queries.flatMap(unknownIn)).toEqual([]);
    expect(board.panels.filter(({ type }) => type === 'row').map(({ title }) => title)).toEqual([
      'Pipeline',
      'Workers',
      'Engines',
      'API',
    ]);
  }
});

it('the page of metrics lists all of them with their labels, and no other', async () => {
  const page = await text('docs/operations/metrics.md');
  const rows = [...page.matchAll(/^\| `(\w+)(?:\{([\w,]*)\})?` \| (\w+) \|/gm)].map(
    ([, name, labels = '', kind]) => `${name} ${labels} ${kind}`,
  );
  expect(rows.sort()).toEqual(
    specs.map(({ name, labels, kind }) => `${name} ${labels.join(',')} ${kind}`).sort(),
  );
});
