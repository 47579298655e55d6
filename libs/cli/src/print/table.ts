import { styleText } from 'node:util';
import { plainText } from './plain-text.ts';

/** A column: its title, what it shows of a row, and on which side numbers line up. */
export interface Column<Row> {
  readonly title: string;
  readonly of: (row: Row) => string | number;
  readonly align?: 'right';
}

/** Rows under titles, aligned, two spaces apart; each line ends with a line feed. */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { color }: { readonly color: boolean },
): string {
  const cells = rows.map((row) => columns.map(({ of }) => plainText(String(of(row)))));
  const titles = columns.map(({ title }) => title);
  const widths = columns.map((_, index) =>
    Math.max(...[titles, ...cells].map((line) => line[index]?.length ?? 0)),
  );
  const line = (texts: readonly string[]) =>
    columns
      .map(({ align }, index) => {
        const [text = '', width = 0] = [texts[index], widths[index]];
        return align === 'right' ? text.padStart(width) : text.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  const head = color ? styleText('bold', line(titles), { validateStream: false }) : line(titles);
  return [head, ...cells.map(line)].map((text) => `${text}\n`).join('');
}
