import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { printJson } from '../print/output.ts';
import { withExamples } from './examples.ts';

/** `earshot results rebuild`: re-creates the tables of results from the facts that NATS still holds. */
export function addResults(program: Command, { client, terminal }: CommandContext): void {
  const results = program.command('results').description('the tables of results');
  withExamples(
    results
      .command('rebuild')
      .description(
        'after a loss of PostgreSQL: re-create the tables from the facts, as far back as these are kept',
      )
      .option('--json', 'as JSON'),
    'earshot results rebuild',
  ).action(async ({ json }: { json?: true }) => {
    terminal.stderr.write('Reading all facts; thousands a second …\n');
    const result = await client().rebuild();
    if (json) printJson(terminal, result);
    else terminal.stdout.write(`the tables agree with ${result.facts} facts\n`);
  });
}
