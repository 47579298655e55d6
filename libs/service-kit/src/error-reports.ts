import { withoutKeys } from './address-keys.ts';

/** Where errors are reported to, and who reports them. */
export interface ErrorReportOptions {
  readonly dsn: string;
  readonly service: string;
  readonly environment: string;
  /** Default: imports `@sentry/node`, which is an optional package. */
  readonly load?: () => Promise<unknown>;
}

/** What goes to Sentry; `values` are an error and its causes. */
interface SentryEvent {
  readonly exception?: { readonly values?: readonly { value?: string }[] };
}

interface Sentry {
  init(options: Record<string, unknown>): void;
  captureException(error: unknown, context: { tags: Record<string, string> }): void;
  flush(timeoutMs: number): Promise<boolean>;
}

const PACKAGE: string = '@sentry/node';
/** The fields of a line that go along; no other leaves the process. */
const TAGS = ['trace_id', 'transcript_id', 'stage', 'code'] as const;

let sentry: Sentry | undefined;

/** Sends the error of each line of level error or fatal to Sentry from now on. Throws a sentence when the package is missing. */
export async function startErrorReports(options: ErrorReportOptions): Promise<void> {
  const { dsn, service, environment, load = () => import(PACKAGE) } = options;
  const loaded = (await load().catch((cause: unknown) => {
    throw new Error(
      `SENTRY_DSN is set, but the package ${PACKAGE} is not installed: npm install ${PACKAGE}`,
      {
        cause,
      },
    );
  })) as Sentry;
  loaded.init({
    ...{ dsn, environment, serverName: service, sendDefaultPii: false },
    // Traces are ours: its own set-up of OpenTelemetry would take the place of that.
    skipOpenTelemetrySetup: true,
    // They hold the addresses of calls.
    maxBreadcrumbs: 0,
    beforeSend: withoutAddressKeys,
  });
  sentry = loaded;
}

function withoutAddressKeys(event: SentryEvent): SentryEvent {
  for (const error of event.exception?.values ?? []) {
    if (error.value !== undefined) error.value = withoutKeys(error.value);
  }
  return event;
}

/** Reports the error among the arguments of a log call, if there is one; does nothing without a start. */
export function reportError([fields]: readonly unknown[]): void {
  if (!sentry || typeof fields !== 'object' || fields === null) return;
  const { err, ...line } = fields as { err?: unknown } & Record<string, unknown>;
  const error = fields instanceof Error ? fields : err;
  if (!error) return;
  const tags = TAGS.flatMap((name) =>
    line[name] === undefined ? [] : [[name, String(line[name])] as const],
  );
  sentry.captureException(error, { tags: Object.fromEntries(tags) });
}

/** Sends what is still buffered, for at most 2 s. */
export async function flushErrorReports(): Promise<void> {
  await sentry?.flush(2_000).catch(() => false);
}
