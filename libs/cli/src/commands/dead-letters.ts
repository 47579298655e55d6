import type { DeadLetterSummary } from '@earshot/contracts';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { age } from '../print/age.ts';
import { documentText } from '../print/document-text.ts';
import { printJson, printTable } from '../print/output.ts';
import type { Column } from '../print/table.ts';
import { addDeadLetterActions } from './dead-letter-actions.ts';
import { withExamples } from './examples.ts';
import { parseWhole } from './parse-whole.ts';

const clock = (ms: number) => new Date(ms).toISOString().slice(11, 19);
const short = (text: string) => (text.length > 60 ? `${text.slice(0, 59)}…` : text);

const COLUMNS: readonly Column<DeadLetterSummary>[] = [
  { title: 'ID', of: ({ id }) => id, align: 'right' },
  { title: 'AGE', of: ({ created_at }) => age(created_at), align: 'right' },
  { title: 'STATE', of: ({ state }) => state },
  { title: 'STAGE', of: ({ stage }) => stage },
  { title: 'CODE', of: ({ code }) => code },
  { title: 'TRANSCRIPT', of: ({ transcript_id }) => transcript_id ?? '-' },
  {
    title: 'PLACE',
    of: ({ start_ms, end_ms }) =>
      start_ms === null || end_ms === null ? '-' : `${clock(start_ms)}–${clock(end_ms)}`,
  },
  { title: 'DETAIL', of: ({ detail }) => short(detail) },
];

interface ListOptions {
  readonly state: string;
  readonly code?: string;
  readonly transcript?: string;
  readonly stage?: string;
  readonly limit: string;
  readonly json?: true;
}

/** `earshot dead-letters`: work given up on, and what to do with it. */
export function addDeadLetters(program: Command, context: CommandContext): void {
  const letters = withExamples(
    program.command('dead-letters').description('work that was given up on'),
    'earshot dead-letters list',
    'earshot dead-letters show 7',
    'earshot dead-letters replay 7',
  );
  addList(letters, context);
  addShow(letters, context);
  addDeadLetterActions(letters, context);
}

function addList(letters: Command, { client, terminal }: CommandContext): void {
  const command = letters
    .command('list')
    .description('show dead letters, newest first')
    .option('--state <state>', 'open, replayed, discarded, resolved or all', 'open')
    .option('--code <code>', 'only with this error code')
    .option('--transcript <id>', 'only of this transcript')
    .option('--stage <stage>', 'only of accept, split, chunk or message')
    .option('--limit <n>', 'show at most so many', '100')
    .option('--json', 'as JSON');
  withExamples(
    command,
    'earshot dead-letters list',
    'earshot dead-letters list --code engine_error --json',
  ).action(async ({ state, code, transcript: transcript_id, stage, limit, json }: ListOptions) => {
    const most = parseWhole(command, '--limit', limit);
    const filter = { state, code, transcript_id, stage };
    const found: DeadLetterSummary[] = [];
    for await (const letter of client().deadLetters.list({ ...filter, limit: Math.min(most, 200) })) {
      found.push(letter);
      if (found.length >= most) break;
    }
    if (json) printJson(terminal, found);
    else printTable(terminal, COLUMNS, found, 'no dead letters');
  });
}

function addShow(letters: Command, { client, terminal }: CommandContext): void {
  const command = letters
    .command('show <id>')
    .description('show one with its evidence')
    .option('--json', 'as JSON');
  withExamples(command, 'earshot dead-letters show 7').action(
    async (id: string, { json }: { json?: true }) => {
      const letter = await client().deadLetters.get(parseWhole(command, 'the id of a dead letter', id));
      if (json) printJson(terminal, letter);
      else terminal.stdout.write(documentText(letter));
    },
  );
}
