import { CommandFailed } from '../failed.ts';
import { describeError } from '../print/describe-error.ts';
import type { Terminal } from '../terminal.ts';

/** Does the same to several things and prints `<id> <what came of it>` for each; fails at the end if any did. */
export async function eachOf<Id extends string | number>(
  terminal: Terminal,
  ids: readonly Id[],
  act: (id: Id) => Promise<string>,
): Promise<void> {
  let failed = 0;
  for (const id of ids) {
    try {
      terminal.stdout.write(`${id} ${await act(id)}\n`);
    } catch (error) {
      failed += 1;
      terminal.stderr.write(`${id} ${describeError(error)}`);
    }
  }
  if (failed > 0) throw new CommandFailed(`${failed} of ${ids.length} failed`);
}
