import type { UsageGroup, UsageSum } from '@earshot/contracts';
import { type Command, Option } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { printJson, printTable } from '../print/output.ts';
import type { Column } from '../print/table.ts';
import { addCheckUsage } from './check-usage.ts';
import { withExamples } from './examples.ts';

interface UsageOptions {
  readonly from?: string;
  readonly to?: string;
  readonly tenant?: string;
  readonly by: UsageGroup;
  readonly json?: true;
}

const minutes = (ms: number) => (ms / 60_000).toFixed(1);

const columns = (by: UsageGroup): readonly Column<UsageSum>[] => [
  { title: 'TENANT', of: ({ tenant_id }) => tenant_id },
  { title: by.toUpperCase(), of: ({ key }) => key },
  { title: 'CHUNKS', of: ({ chunks }) => chunks, align: 'right' },
  { title: 'AUDIO MIN', of: ({ audio_ms }) => minutes(audio_ms), align: 'right' },
  { title: 'BILLED MIN', of: ({ billed_ms }) => minutes(billed_ms), align: 'right' },
];

/** `earshot usage`: what paid engines charged for, and whether that is all. */
export function addUsage(program: Command, context: CommandContext): void {
  const usage = withExamples(
    program.command('usage').description('what paid engines charged for'),
    'earshot usage',
    'earshot usage check',
  );
  addShow(usage, context);
  addCheckUsage(usage, context);
}

function addShow(usage: Command, { client, terminal }: CommandContext): void {
  const groups = ['day', 'engine', 'model', 'transcript'];
  withExamples(
    usage
      .command('show', { isDefault: true })
      .description('show it, of this month unless told otherwise')
      .option('--from <day>', 'first UTC day, YYYY-MM-DD')
      .option('--to <day>', 'last UTC day, inclusive')
      .option('--tenant <name>', 'of one tenant; of others with the scope admin')
      .addOption(new Option('--by <what>', 'sum it by').choices(groups).default('day'))
      .option('--json', 'as JSON'),
    'earshot usage',
    'earshot usage --from 2026-11-01 --to 2026-11-30 --by engine',
    'earshot usage --tenant acme --by transcript --json',
  ).action(async ({ by, json, ...days }: UsageOptions) => {
    const sums: UsageSum[] = [];
    for await (const sum of client().usage.list({ ...days, group_by: by })) sums.push(sum);
    if (json) return printJson(terminal, sums);
    printTable(terminal, columns(by), sums, 'no paid calls in that time');
    const total = sums.reduce((ms, { billed_ms }) => ms + billed_ms, 0);
    if (sums.length > 1) terminal.stdout.write(`${minutes(total)} minutes billed in all\n`);
  });
}
