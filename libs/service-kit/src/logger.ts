import { trace } from '@opentelemetry/api';
import { type Logger, pino, stdTimeFunctions } from 'pino';
import { withoutKeys } from './address-keys.ts';
import { reportError } from './error-reports.ts';
import { type GooglePlatform, googleLines, googleTrace } from './google-log.ts';
import { googlePlatform } from './telemetry.ts';

export type { Logger } from 'pino';

const LEVELS = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  critical: 'fatal',
  fatal: 'fatal',
  silent: 'silent',
} as const;

/** pino's number of the level `error`. */
const ERROR = 50;

/** Names that never reach a log with their values, at the top, in an object and in the headers of a request. */
const SECRETS = ['authorization', 'cookie', '["set-cookie"]', 'password', 'token', 'text'];
const REDACTED = SECRETS.flatMap((name) => {
  const [dot, key] = name.startsWith('[') ? ['', name] : ['.', name];
  return [key, `*${dot}${key}`, `*.*${dot}${key}`];
});

/**
 * A JSON logger on stdout (or `stream`): one line an event, RFC 3339 times, the ids of the span at work, secrets and
 * transcript text redacted. On Google Cloud with the fields that Cloud Logging reads.
 */
export function createLogger(options: {
  service: string;
  level?: string;
  version?: string;
  stream?: { write(line: string): void };
  /** Default: what the environment tells. */
  google?: GooglePlatform | undefined;
}): Logger {
  const level = LEVELS[(options.level ?? 'info').toLowerCase() as keyof typeof LEVELS] ?? 'info';
  const google = options.google ?? googlePlatform();
  const settings = {
    level,
    base: { service: options.service, ...(options.version ? { version: options.version } : {}) },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    mixin: () => spanFields(google),
    redact: { paths: REDACTED, censor: '[redacted]' },
    hooks: {
      logMethod(args: unknown[], method: (...all: unknown[]) => void, level: number) {
        if (level >= ERROR) reportError(args);
        method.apply(this, args);
      },
      streamWrite: withoutKeys,
    },
    ...(google ? googleLines : {}),
  };
  return options.stream ? pino(settings, options.stream) : pino(settings);
}

function spanFields(google: GooglePlatform | undefined): Record<string, unknown> {
  const span = trace.getActiveSpan()?.spanContext();
  if (!span) return {};
  return { trace_id: span.traceId, span_id: span.spanId, ...(google ? googleTrace(google, span) : {}) };
}
