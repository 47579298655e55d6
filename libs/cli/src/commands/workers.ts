import type { WorkerState } from '@earshot/contracts';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { CommandFailed } from '../failed.ts';
import { age } from '../print/age.ts';
import { printJson, printTable } from '../print/output.ts';
import type { Column } from '../print/table.ts';
import { withExamples } from './examples.ts';

type Engine = WorkerState['engines'][number];

/** An engine in a word or two: slots in use, and what keeps it from being asked. */
function engineText({ name, active, slots, circuit, quota_until }: Engine): string {
  const down = circuit === 'closed' ? '' : ` (circuit ${circuit.replace('_', ' ')})`;
  const refused = quota_until === null ? '' : ` (refused for ${age(quota_until)})`;
  return `${name} ${active}/${slots}${down}${refused}`;
}

/** How workers are listed. */
export const COLUMNS: readonly Column<WorkerState>[] = [
  { title: 'ID', of: ({ id }) => id },
  { title: 'HOST', of: ({ host, pid }) => `${host}:${pid}` },
  { title: 'UP', of: ({ since }) => age(since) },
  { title: 'VERSION', of: ({ version }) => version },
  { title: 'MEMORY', of: ({ memory_bytes }) => `${Math.round(memory_bytes / 1_000_000)} MB`, align: 'right' },
  { title: 'JOBS', of: ({ active_jobs }) => active_jobs.length, align: 'right' },
  { title: 'ENGINES', of: ({ engines }) => engines.map(engineText).join(', ') },
  { title: 'STATE', of: ({ draining }) => (draining ? 'draining' : 'working') },
];

/** `earshot workers`: who works, and fresh child processes for them. */
export function addWorkers(program: Command, { client, terminal }: CommandContext): void {
  const workers = withExamples(
    program.command('workers').description('the processes that transcribe'),
    'earshot workers list',
    'earshot workers restart-pool',
  );
  withExamples(
    workers
      .command('list')
      .description('ask every worker who it is and what it does')
      .option('--json', 'as JSON'),
    'earshot workers list',
    'earshot workers list --json',
  ).action(async ({ json }: { json?: true }) => {
    const states = await client().workers.list();
    if (json) printJson(terminal, states);
    else printTable(terminal, COLUMNS, states, 'no worker answers');
  });
  withExamples(
    workers
      .command('restart-pool [id]')
      .description('renew the child processes of one worker, or of all; running work is not disturbed'),
    'earshot workers restart-pool',
    'earshot workers restart-pool worker-1-4242',
  ).action(async (id: string | undefined) => {
    const api = client();
    const asked = id === undefined ? (await api.workers.list()).map((state) => state.id) : [id];
    const { workers: renewed } = await api.workers.restartPool(id);
    for (const one of renewed) terminal.stdout.write(`${one} restarted\n`);
    const silent = asked.filter((one) => !renewed.includes(one));
    if (silent.length > 0) throw new CommandFailed(`not restarted in time: ${silent.join(', ')}`);
    if (asked.length === 0) throw new CommandFailed('no worker answers');
  });
}
