import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { printJson } from '../print/output.ts';
import { withExamples } from './examples.ts';

/** `earshot recover`: puts every unfinished recording back into the streams after a loss. */
export function addRecover(program: Command, { client, terminal }: CommandContext): void {
  withExamples(
    program
      .command('recover')
      .description('after a loss of NATS or its store: bring every unfinished recording back to work')
      .option('--json', 'as JSON'),
    'earshot recover',
  ).action(async ({ json }: { json?: true }) => {
    const result = await client().recover();
    if (json) printJson(terminal, result);
    else
      terminal.stdout.write(`${result.recovered} of ${result.manifests} recordings brought back to work\n`);
  });
}
