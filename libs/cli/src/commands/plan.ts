import { planInstallation, rangeText } from '@earshot/contracts';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { printJson } from '../print/output.ts';
import { withExamples } from './examples.ts';
import { parseWhole } from './parse-whole.ts';

/** `earshot plan`: how large an installation has to be. Asks nobody. */
export function addPlan(program: Command, { terminal }: CommandContext): void {
  const command = program
    .command('plan')
    .description('tell how many workers a number of users needs, and why')
    .requiredOption('--users <count>', 'how many people use it')
    .option('--json', 'as JSON');
  withExamples(command, 'earshot plan --users 50', 'earshot plan --users 1000 --json').action(
    ({ users, json }: { users: string; json?: true }) => {
      const count = parseWhole(command, '--users', users);
      if (count < 1) command.error('error: --users is at least 1');
      const plan = planInstallation(count);
      if (json) return printJson(terminal, plan);
      const { size, instances, concurrency, arithmetic } = plan;
      terminal.stdout.write(
        `${size}: ${rangeText(instances)} × ${rangeText(concurrency)} (instances × WORKER_CONCURRENCY)\n\n${arithmetic.join('\n')}\n`,
      );
    },
  );
}
