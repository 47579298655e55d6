import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { printJson } from '../print/output.ts';
import { withExamples } from './examples.ts';

/** `earshot recover`: brings stored recordings without a transcript back to work. */
export function addRecover(program: Command, { client, terminal }: CommandContext): void {
  withExamples(
    program
      .command('recover')
      .description(
        'after a loss of the database or of the store of NATS: bring recordings without a transcript back',
      )
      .option('--json', 'as JSON'),
    'earshot recover',
  ).action(async ({ json }: { json?: true }) => {
    const result = await client().recover();
    if (json) return printJson(terminal, result);
    terminal.stdout.write(`${result.recovered} of ${result.manifests} recordings brought back to work\n`);
  });
}
