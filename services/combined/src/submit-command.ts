import { type EmbeddedOptions, resolveSpeechModel } from '@earshot/embedded';
import { createLogger } from '@earshot/service-kit';
import type { Command } from './command-line.ts';
import type { CombinedConfig, Environment } from './config.ts';
import { type Attached, Endpoint } from './endpoint.ts';
import { openLogFile } from './log-file.ts';
import { ProgressDisplay } from './progress-line.ts';
import { startCombined } from './start-combined.ts';
import { submitRecordings } from './submit-recordings.ts';

export interface SubmitCommandOptions {
  readonly command: Command & { readonly kind: 'submit' };
  readonly config: CombinedConfig;
  readonly env: Environment;
  readonly embedded: EmbeddedOptions;
}

/** An Earshot of our own on a free port, with its log in a file. */
async function startOwn({ config, env, embedded }: SubmitCommandOptions): Promise<Attached> {
  const { stream } = await openLogFile(config.EARSHOT_HOME);
  const log = createLogger({ service: 'combined', level: config.LOG_LEVEL, stream });
  const local = { ...config, PORT: 0, HOST: '127.0.0.1' };
  const running = await startCombined({ config: local, env, embedded, log });
  return { url: running.url, close: () => running.close(config.EARSHOT_SHUTDOWN_GRACE_SECONDS * 1000) };
}

/** `npm start -- <recording>…`: resolves to the exit code (0 done, 1 a recording failed, 130 interrupted). */
export async function submitCommand(options: SubmitCommandOptions): Promise<number> {
  const { command, config, embedded } = options;
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const endpoint = new Endpoint(config.EARSHOT_HOME, () => startOwn(options));
  const progress = new ProgressDisplay(process.stderr);
  try {
    // Side by side: on a fresh machine both fetch what is missing.
    const model = command.sample ? resolveSpeechModel(embedded) : undefined;
    const [samples] = await Promise.all([model?.then((found) => found.samples) ?? [], endpoint.url()]);
    const paths = [...samples, ...command.paths];
    const submission = {
      endpoint,
      paths,
      apiKey: config.EARSHOT_API_KEY,
      format: command.format,
      signal: stop.signal,
    };
    const failures = await submitRecordings(submission, {
      stdout: process.stdout,
      stderr: process.stderr,
      progress,
    });
    return failures > 0 ? 1 : 0;
  } catch (error) {
    if (stop.signal.aborted) return 130;
    throw error;
  } finally {
    await endpoint.close();
  }
}
