// First, so that what it watches is loaded after it.
import './telemetry.ts';
import {
  createProgressPrinter,
  EmbeddedError,
  embeddedOptionsFromEnv,
  ServiceRunningError,
} from '@earshot/embedded';
import { configOrExit, createLogger, isLoopback, runService } from '@earshot/service-kit';
import { type Command, HELP, parseCommandLine, UsageError } from './command-line.ts';
import { type CombinedConfig, processEnvironment, readConfig } from './config.ts';
import { readyMessage } from './ready-message.ts';
import { startCombined } from './start-combined.ts';
import { submitCommand } from './submit-command.ts';

const command = commandOrExit();
if (command.kind === 'help') {
  process.stdout.write(HELP);
  process.exit(0);
}
const env = processEnvironment();
const config = configOrExit(() => readConfig(env));
const embedded = embeddedOptionsFromEnv(env, createProgressPrinter(process.stderr));

if (command.kind === 'submit') {
  process.exit(await submitCommand({ command, config, env, embedded }).catch(explain));
} else {
  await serve(config);
}

function commandOrExit(): Command {
  try {
    return parseCommandLine(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${HELP}`);
    process.exit(2);
  }
}

async function serve(config: CombinedConfig): Promise<void> {
  const log = createLogger({ service: 'combined', level: config.LOG_LEVEL });
  await runService({
    log,
    graceMs: config.EARSHOT_SHUTDOWN_GRACE_SECONDS * 1000,
    errors: { dsn: config.SENTRY_DSN, service: 'combined', environment: config.ENVIRONMENT },
    start: async () => {
      const running = await startCombined({ config, env, embedded, log }).catch(explain);
      const keyed = !isLoopback(config.HOST);
      process.stdout.write(readyMessage({ ...running, sample: running.samples[0], keyed }));
      return running;
    },
  });
}

/** Ends the process with a sentence for the errors a user can do something about. */
function explain(error: unknown): never {
  if (error instanceof ServiceRunningError) {
    const at = error.url ? ` at ${error.url}` : '';
    process.stderr.write(`Earshot already runs in ${config.EARSHOT_HOME} as process ${error.pid}${at}.\n`);
    process.stderr.write(
      'Submit to it with `npm start -- <recording>`, or set EARSHOT_HOME for another one.\n',
    );
  } else if (error instanceof EmbeddedError || config.LOG_LEVEL !== 'debug') {
    process.stderr.write(`Earshot could not start: ${(error as Error).message}\n`);
  } else {
    process.stderr.write(`${(error as Error).stack}\n`);
  }
  process.exit(1);
}
