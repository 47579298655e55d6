import type { Client } from '@earshot/client';
import type { DeadLetterSelection } from '@earshot/contracts';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { CommandFailed } from '../failed.ts';
import type { Terminal } from '../terminal.ts';
import { eachOf } from './each-of.ts';
import { withExamples } from './examples.ts';
import { parseWhole } from './parse-whole.ts';

interface Choice {
  readonly all?: true;
  readonly code?: string;
  readonly transcript?: string;
  readonly stage?: DeadLetterSelection['stage'];
  readonly yes?: true;
}

/** What is done, in the words of the command line. */
interface Action {
  readonly verb: 'replay' | 'discard';
  readonly done: string;
  readonly description: string;
  readonly question: (count: number) => string;
}

const ACTIONS: readonly Action[] = [
  {
    verb: 'replay',
    done: 'replayed',
    description: 'send the work of dead letters round again',
    question: (count) => `Send the work of ${count} dead letter(s) round again?`,
  },
  {
    verb: 'discard',
    done: 'discarded',
    description: 'give dead letters up on purpose; their gaps stay',
    question: (count) => `Give ${count} dead letter(s) up for good?`,
  },
];

/** `earshot dead-letters replay|discard`: by id, or all open ones that match. */
export function addDeadLetterActions(letters: Command, context: CommandContext): void {
  for (const action of ACTIONS) addAction(letters, context, action);
}

function addAction(letters: Command, { client, terminal }: CommandContext, action: Action): void {
  const { verb, done, description } = action;
  const command = letters
    .command(`${verb} [id...]`)
    .description(description)
    .option('--code <code>', 'all open ones with this error code')
    .option('--transcript <id>', 'all open ones of this transcript')
    .option('--stage <stage>', 'all open ones of accept, split, chunk or message')
    .option('--all', 'all open ones')
    .option('--yes', 'do not ask');
  withExamples(
    command,
    `earshot dead-letters ${verb} 7 8`,
    `earshot dead-letters ${verb} --code engine_error`,
    `earshot dead-letters ${verb} --all --yes`,
  ).action(async (texts: string[], choice: Choice) => {
    const selection = selectionOf(choice);
    if (texts.length > 0 === (selection !== undefined)) {
      command.error('error: give ids, or one of --code, --transcript, --stage, --all');
    }
    const ids = texts.map((text) => parseWhole(command, 'the id of a dead letter', text));
    const { deadLetters } = client();
    if (!selection) {
      return eachOf(terminal, ids, async (id) =>
        (await deadLetters[verb](id)).changed > 0 ? done : 'was dealt with before',
      );
    }
    if (!choice.yes) await agree(command, terminal, action.question(await countOpen(deadLetters, selection)));
    const { changed, refused } = await deadLetters[`${verb}All`](selection);
    terminal.stdout.write(`${changed} ${done}\n`);
    if (refused > 0)
      terminal.stderr.write(`${refused} could not be ${done}: ${verb} one by its id to see why\n`);
  });
}

function selectionOf({ all, code, transcript, stage }: Choice): DeadLetterSelection | undefined {
  const selection = {
    ...(code === undefined ? {} : { code }),
    ...(transcript === undefined ? {} : { transcript_id: transcript }),
    ...(stage === undefined ? {} : { stage }),
  };
  if (Object.keys(selection).length > 0) return selection;
  return all ? { all } : undefined;
}

async function countOpen(
  deadLetters: Client['deadLetters'],
  { all: _, ...filter }: DeadLetterSelection,
): Promise<number> {
  let count = 0;
  for await (const _letter of deadLetters.list({ ...filter, state: 'open', limit: 200 })) count += 1;
  return count;
}

/** Many at once are asked about first; where nobody can be asked, --yes must stand in for the answer. */
async function agree(command: Command, terminal: Terminal, question: string): Promise<void> {
  if (!terminal.confirm) command.error(`error: ${question} Add --yes: nobody can be asked here`);
  else if (!(await terminal.confirm(question))) throw new CommandFailed('nothing was changed');
}
