import type { Command } from 'commander';

/** Puts examples in front of a command's help, where they are seen first. */
export function withExamples(command: Command, ...lines: string[]): Command {
  return command.addHelpText('before', `Examples:\n${lines.map((line) => `  ${line}\n`).join('')}`);
}
