import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { CommandFailed } from '../failed.ts';
import { printJson, printTable } from '../print/output.ts';
import { withExamples } from './examples.ts';
import { COLUMNS } from './workers.ts';

/** `earshot ping`: a round trip to every live worker, for people and for probes. */
export function addPing(program: Command, { client, terminal }: CommandContext): void {
  withExamples(
    program
      .command('ping')
      .description('ask every worker for a sign of life; exit code 1 when none answers')
      .option('--json', 'as JSON'),
    'earshot ping',
    'earshot ping --json',
  ).action(async ({ json }: { json?: true }) => {
    const states = await client().workers.list();
    if (json) printJson(terminal, states);
    else if (states.length > 0) printTable(terminal, COLUMNS, states, '');
    if (states.length === 0) throw new CommandFailed('no worker answers');
  });
}
