import { readFileSync } from 'node:fs';
import { Client } from '@earshot/client';
import { Command } from 'commander';
import type { CommandContext } from './command-context.ts';
import { addDeadLetters } from './commands/dead-letters.ts';
import { addDoctor } from './commands/doctor.ts';
import { addLanes } from './commands/lanes.ts';
import { addPing } from './commands/ping.ts';
import { addPlan } from './commands/plan.ts';
import { addRecover } from './commands/recover.ts';
import { addResults } from './commands/results.ts';
import { addScale } from './commands/scale.ts';
import { addTopology } from './commands/topology.ts';
import { addTranscripts } from './commands/transcripts.ts';
import { addUsage } from './commands/usage.ts';
import { addWorkers } from './commands/workers.ts';
import { readApiConfig } from './config.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const INTRODUCTION = `Examples:
  earshot dead-letters list            what was given up on, and why
  earshot dead-letters replay --all    try all of it again
  earshot lanes pause sherpa low       let one lane wait
  earshot workers list                 who works, and on what
  earshot scale                        more workers, or fewer, and why
  earshot plan --users 200             how many workers that needs
  earshot usage --by engine            what paid engines charged for
`;

const ENVIRONMENT = `
Environment:
  EARSHOT_URL                          where the API is (default http://127.0.0.1:8080)
  EARSHOT_API_KEY, _API_KEY_FILE       the key, where it asks for one
  NATS_URL, …                          for topology only: the settings of the services

Exit: 0 done, 1 failed, 2 wrong usage or configuration, 130 interrupted.
`;

/** The command with all its subcommands; parsing throws instead of ending the process. */
export function createProgram({ env, terminal }: Pick<CommandContext, 'env' | 'terminal'>): Command {
  const program = new Command('earshot')
    .description('Look after an Earshot: what waits, what was given up on, who works.')
    .option('--url <url>', 'where the API is; wins over EARSHOT_URL')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
    })
    .addHelpText('before', INTRODUCTION)
    .addHelpText('after', ENVIRONMENT);
  const client = () => {
    const flag = program.opts<{ url?: string }>().url;
    const config = readApiConfig(flag === undefined ? env : { ...env, EARSHOT_URL: flag });
    return new Client({ baseUrl: config.EARSHOT_URL, apiKey: config.EARSHOT_API_KEY });
  };
  const context: CommandContext = { env, terminal, client };
  for (const add of [
    addDeadLetters,
    addTranscripts,
    addWorkers,
    addPing,
    addLanes,
    addScale,
    addPlan,
    addUsage,
    addTopology,
    addRecover,
    addResults,
    addDoctor,
  ]) {
    add(program, context);
  }
  return program;
}
