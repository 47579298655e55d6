import { readFile } from 'node:fs/promises';
import { createLogger } from '@earshot/service-kit';
import { eventually } from '@earshot/testkit';
import { expect, it } from 'vitest';
import { logQueueLength, type QueueLogOptions } from './log-queue-length.ts';

const template = await readFile(
  new URL('../../../../deploy/ecs/queue-length-filter.yaml', import.meta.url),
  'utf8',
);

type Line = Readonly<Record<string, unknown>>;

/** The JSON filter pattern of the template, as CloudWatch reads it; refuses what this reader does not know. */
function filter(): { matches(line: Line): boolean; value(line: Line): unknown } {
  const pattern = /FilterPattern: '\{ (.*) \}'/.exec(template)?.[1] ?? '';
  const clauses = pattern.split(' && ').map((clause) => {
    const [, field = '', operator, operand = ''] = /^\(\$\.(\w+) (=|>=) (.+)\)$/.exec(clause) ?? [];
    if (!operator) throw new Error(`not understood: ${clause}`);
    const wanted: unknown = JSON.parse(operand);
    return (line: Line) =>
      operator === '='
        ? line[field] === wanted
        : typeof line[field] === 'number' && line[field] >= Number(wanted);
  });
  const field = /MetricValue: \$\.(\w+)/.exec(template)?.[1] ?? '';
  return { matches: (line) => clauses.every((clause) => clause(line)), value: (line) => line[field] };
}

const lane = { effectiveCap: undefined, paused: false };

/** What is logged until there are two lines. */
async function linesOf(read: () => Promise<unknown>): Promise<Line[]> {
  const lines: Line[] = [];
  const stream = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const log = createLogger({ service: 'results', stream });
  const logging = logQueueLength({ read: read as QueueLogOptions['read'], log, everyMs: 1 });
  await eventually('two lines', () => lines.length >= 2);
  await logging.stop();
  return lines;
}

it('tells again and again what waits and what is in work, in the form that the filter of CloudWatch matches', async () => {
  const consumers = [
    { ...lane, durable: 'split-normal', waiting: 2, inFlight: 1 },
    { ...lane, durable: 'chunk-sherpa-low', waiting: 7, inFlight: 0 },
  ];
  const lines = await linesOf(async () => ({ consumers, scheduled: 3 }));
  const { matches, value } = filter();
  for (const line of lines) expect([matches(line), value(line)]).toEqual([true, 10]);
  expect(lines[0]).toMatchObject({ waiting: 9, active_tasks: 1, scheduled_tasks: 3, service: 'results' });
});

it('tells of an empty queue too, and the filter matches no other line', async () => {
  const { matches, value } = filter();
  const [empty = {}] = await linesOf(async () => ({ consumers: [], scheduled: 0 }));
  expect([matches(empty), value(empty)]).toEqual([true, 0]);
  const [failed = {}] = await linesOf(() => Promise.reject(new Error('no broker')));
  expect(failed.level).toBe('warn');
  expect(matches(failed)).toBe(false);
});
