import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { eachOf } from './each-of.ts';
import { withExamples } from './examples.ts';

const ID = '6f0b2c1e-6a0e-5d0b-9a51-2f6c3f3b7a11';

/** `earshot transcripts`: cancel and retry. */
export function addTranscripts(program: Command, { client, terminal }: CommandContext): void {
  const group = withExamples(
    program.command('transcripts').description('end or repeat the work on recordings'),
    `earshot transcripts retry ${ID}`,
  );
  withExamples(
    group.command('cancel <id...>').description('end transcripts for good'),
    `earshot transcripts cancel ${ID}`,
  ).action(async (ids: string[]) => {
    const { transcripts } = client();
    await eachOf(terminal, ids, async (id) => (await transcripts.cancel(id)).status);
  });
  withExamples(
    group.command('retry <id...>').description('run what failed or is missing again'),
    `earshot transcripts retry ${ID}`,
  ).action(async (ids: string[]) => {
    const { transcripts } = client();
    await eachOf(terminal, ids, async (id) => (await transcripts.retry(id)).status);
  });
}
