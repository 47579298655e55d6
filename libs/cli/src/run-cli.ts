import { ConfigError } from '@earshot/service-kit';
import { CommanderError } from 'commander';
import type { Environment } from './config.ts';
import { CommandFailed } from './failed.ts';
import { describeError } from './print/describe-error.ts';
import { createProgram } from './program.ts';
import type { Terminal } from './terminal.ts';

export interface CliOptions {
  /** What stands after the command's name. */
  readonly args: readonly string[];
  readonly env: Environment;
  readonly terminal: Terminal;
}

/** Runs one command; resolves to its exit code: 0 done, 1 failed, 2 wrong usage or configuration. */
export async function runCli({ args, env, terminal }: CliOptions): Promise<number> {
  try {
    await createProgram({ env, terminal }).parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    // It has printed its words already; asked for help or the version it "fails" with 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    terminal.stderr.write(error instanceof CommandFailed ? `${error.message}\n` : describeError(error));
    return error instanceof ConfigError ? 2 : 1;
  }
}
