import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { readDoctorConfig } from '../config.ts';
import { CommandFailed } from '../failed.ts';
import { printJson } from '../print/output.ts';
import { withExamples } from './examples.ts';

/** `earshot doctor`: what this machine has, as `npm run doctor` tells it. */
export function addDoctor(program: Command, { env, terminal }: CommandContext): void {
  withExamples(
    program
      .command('doctor')
      .description('show what this machine has and what is missing; downloads and starts nothing')
      .option('--json', 'as JSON'),
    'earshot doctor',
    'earshot doctor --json',
  ).action(async ({ json }: { json?: true }) => {
    const { EARSHOT_HOME: home } = readDoctorConfig(env);
    const { doctor, doctorText, embeddedOptionsFromEnv } = await import('@earshot/embedded');
    const rows = await doctor({ options: embeddedOptionsFromEnv(env), home });
    if (json) printJson(terminal, rows);
    else terminal.stdout.write(doctorText(rows));
    if (rows.some(({ problem }) => problem !== undefined)) {
      throw new CommandFailed('something required is missing');
    }
  });
}
