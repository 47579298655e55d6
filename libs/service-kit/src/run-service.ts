import closeWithGrace from 'close-with-grace';
import { ConfigError } from './config.ts';
import { flushErrorReports, startErrorReports } from './error-reports.ts';
import type { Logger } from './logger.ts';
import { stopTelemetry } from './telemetry.ts';

/** A started service. */
export interface RunningService {
  /** Stops within `graceMs`: takes no new work, finishes or hands back what runs, frees everything. Idempotent. */
  close(graceMs: number): Promise<void>;
  /** Resolves when a part the service cannot live without is gone for good; ignored once the service is closing. */
  readonly failed: Promise<Error>;
  /** Resolves when it wants to be stopped, as by SIGTERM; a service without it runs until it is told to stop. */
  readonly done?: Promise<void>;
}

/**
 * Runs a service until SIGTERM, SIGINT, its own end or a failure: closes it within the grace and exits 0, or 1 after a failure.
 * A second signal exits at once. A bad configuration prints its problems and exits 2.
 */
export async function runService(options: {
  log: Logger;
  graceMs: number;
  /** Where errors are reported to; not at all without a `dsn`. */
  errors?: { readonly dsn: string | undefined; readonly service: string; readonly environment: string };
  start: () => Promise<RunningService>;
}): Promise<void> {
  const { log, graceMs } = options;
  let service: RunningService | undefined;
  let closing = false;
  let broken = false;
  const starting = startReporting(options.errors).then(options.start);
  const closer = closeWithGrace({ delay: graceMs + 5_000, logger: false }, async ({ signal, err }) => {
    closing = true;
    if (err) log.fatal({ err }, 'the service ends after an error');
    else log.info({ signal }, 'the service stops');
    service ??= await starting.catch(() => undefined);
    await service?.close(graceMs);
    await Promise.all([stopTelemetry(), flushErrorReports()]);
    if (broken) process.exit(1);
  });
  try {
    service = await starting;
  } catch (error) {
    log.fatal({ err: error }, 'the service could not start');
    closer.uninstall();
    await flushErrorReports();
    process.exit(1);
  }
  void service.done?.then(() => {
    if (!closing) closer.close();
  });
  void service.failed.then((error) => {
    if (closing) return;
    log.fatal({ err: error }, 'a part of the service is gone for good');
    broken = true;
    closer.close();
  });
}

async function startReporting(errors: Parameters<typeof runService>[0]['errors']): Promise<void> {
  if (errors?.dsn) await startErrorReports({ ...errors, dsn: errors.dsn });
}

/** Calls `load`, or prints the problems of a bad configuration on stderr and exits 2. */
export function configOrExit<T>(load: () => T): T {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}
