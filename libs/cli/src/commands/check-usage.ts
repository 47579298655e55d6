import type { CheckFilter, Client } from '@earshot/client';
import type { UsageCheck, UsageDifference } from '@earshot/contracts';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { CommandFailed } from '../failed.ts';
import { printJson, printTable } from '../print/output.ts';
import type { Column } from '../print/table.ts';
import { withExamples } from './examples.ts';

interface CheckOptions {
  readonly from?: string;
  readonly to?: string;
  readonly tenant?: string;
  readonly record?: true;
  readonly json?: true;
}

const minutes = (ms: number | null) => (ms === null ? '-' : (ms / 60_000).toFixed(1));

const COLUMNS: readonly Column<UsageDifference>[] = [
  { title: 'TENANT', of: ({ tenant_id }) => tenant_id },
  { title: 'TRANSCRIPT', of: ({ transcript_id }) => transcript_id },
  { title: 'CHUNK', of: ({ plan, n }) => `${plan}.${n}` },
  { title: 'ENGINE', of: ({ engine }) => engine },
  { title: 'USAGE MIN', of: ({ usage_ms }) => minutes(usage_ms), align: 'right' },
  { title: 'LEDGER MIN', of: ({ ledger_ms }) => minutes(ledger_ms), align: 'right' },
  { title: 'OPEN CALLS', of: ({ open_calls }) => open_calls, align: 'right' },
];

/** `earshot usage check`: usage against the ledger of paid calls. */
export function addCheckUsage(usage: Command, { client, terminal }: CommandContext): void {
  withExamples(
    usage
      .command('check')
      .description('compare with the ledger of paid calls; exit code 1 when they say different things')
      .option('--from <day>', 'transcripts made since this UTC day; default: this month')
      .option('--to <day>', 'last UTC day, inclusive')
      .option('--tenant <name>', 'of one tenant; of others with the scope admin')
      .option('--record', 'take over into usage what only the ledger knows')
      .option('--json', 'as JSON'),
    'earshot usage check',
    'earshot usage check --from 2026-11-01 --record',
  ).action(async ({ record, json, ...days }: CheckOptions) => {
    const { checked, recorded, data } = await checkAll(client(), days, record ?? false);
    const wrong = data.filter(({ usage_ms, ledger_ms }) => (usage_ms ?? 0) !== (ledger_ms ?? 0)).length;
    if (json) printJson(terminal, { checked, recorded, data });
    else printTable(terminal, COLUMNS, data, 'nothing differs');
    terminal.stderr.write(`${checked} transcripts, ${wrong} chunks differ, ${recorded} recorded\n`);
    if (wrong > recorded) throw new CommandFailed('usage and the ledger of paid calls say different things');
  });
}

async function checkAll(
  { usage }: Client,
  filter: CheckFilter,
  record: boolean,
): Promise<Omit<UsageCheck, 'next_cursor'>> {
  const all = { checked: 0, recorded: 0, data: [] as UsageDifference[] };
  let cursor: string | undefined;
  do {
    const page = await usage.check({ ...filter, cursor }, record);
    all.checked += page.checked;
    all.recorded += page.recorded;
    all.data.push(...page.data);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return all;
}
