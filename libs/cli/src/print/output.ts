import type { Terminal } from '../terminal.ts';
import { type Column, table } from './table.ts';

/** Prints a document for programs. */
export function printJson(terminal: Terminal, document: unknown): void {
  terminal.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

/** Prints rows for people, or on stderr that there are none. */
export function printTable<Row>(
  terminal: Terminal,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  none: string,
): void {
  if (rows.length === 0) terminal.stderr.write(`${none}\n`);
  else terminal.stdout.write(table(columns, rows, terminal));
}
