import { createInterface } from 'node:readline/promises';
import { processEnvironment } from './config.ts';
import { runCli } from './run-cli.ts';

const { stdin, stdout, stderr } = process;
const env = processEnvironment();

process.on('SIGINT', () => process.exit(130));
// `earshot … | head` is no failure.
stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

async function confirm(question: string): Promise<boolean> {
  const lines = createInterface({ input: stdin, output: stderr });
  lines.on('SIGINT', () => process.exit(130));
  const answer = await lines.question(`${question} [y/N] `);
  lines.close();
  return /^y(es)?$/i.test(answer.trim());
}

process.exitCode = await runCli({
  args: process.argv.slice(2),
  env,
  terminal: {
    stdout,
    stderr,
    color: stdout.isTTY && !env.NO_COLOR,
    confirm: stdin.isTTY && stderr.isTTY ? confirm : undefined,
  },
});
