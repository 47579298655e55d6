import type { Command } from 'commander';

/** A whole number from the command line; ends the command with a usage error where it is none. */
export function parseWhole(command: Command, what: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) command.error(`error: ${what} is a whole number, not ${text}`);
  return Number(text);
}
