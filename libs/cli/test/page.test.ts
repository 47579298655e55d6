import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { createProgram } from '../src/program.ts';

const silent = { write: () => undefined };
const terminal = { stdout: silent, stderr: silent, color: false, confirm: undefined };

/** The commands that do something, by their whole name. */
const leavesOf = (command: Command, path: readonly string[] = []): [string, Command][] =>
  command.commands.length === 0
    ? [[path.join(' '), command]]
    : command.commands.flatMap((one) => leavesOf(one, [...path, one.name()]));

/** Reads a command line as the program would, but does nothing; returns which command it is. */
async function commandOf(line: string): Promise<string | undefined> {
  const program = createProgram({ env: {}, terminal });
  let found: string | undefined;
  for (const [name, command] of leavesOf(program)) {
    command.action(() => {
      found = name;
    });
  }
  const [, args = ''] = line.split(/\bearshot /);
  await program.parseAsync(args.split(/\s+/), { from: 'user' });
  return found;
}

const page = await readFile(new URL('../../../docs/operations/cli.md', import.meta.url), 'utf8');
const lines = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
  block.trim().split('\n'),
);
const helps = leavesOf(createProgram({ env: {}, terminal })).flatMap(([name]) => name);

it.each(lines)('the page’s %s is a command as written', async (line) => {
  expect(await commandOf(line)).toBeDefined();
});

it('the page shows every command', async () => {
  const shown = new Set(await Promise.all(lines.map(commandOf)));
  expect(helps.filter((name) => !shown.has(name))).toEqual([]);
});

it('a line that is no command would be found', async () => {
  await expect(commandOf('earshot lanes stop sherpa')).rejects.toThrow('unknown command');
  await expect(commandOf('earshot lanes list --colour')).rejects.toThrow('unknown option');
});
