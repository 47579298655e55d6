import { type Logger, pino, stdTimeFunctions } from 'pino';

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

/** Paths that never reach a log. */
const REDACTED = [
  '*.authorization',
  '*.cookie',
  'headers.authorization',
  'headers.cookie',
  'req.headers.authorization',
  'password',
  '*.password',
  'token',
  '*.token',
  '*.text',
];

/** A JSON logger on stdout (or `stream`): one line an event, RFC 3339 times, secrets and transcript text redacted. */
export function createLogger(options: {
  service: string;
  level?: string;
  version?: string;
  stream?: { write(line: string): void };
}): Logger {
  const level = LEVELS[(options.level ?? 'info').toLowerCase() as keyof typeof LEVELS] ?? 'info';
  const settings = {
    level,
    base: { service: options.service, ...(options.version ? { version: options.version } : {}) },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: REDACTED, censor: '[redacted]' },
  };
  return options.stream ? pino(settings, options.stream) : pino(settings);
}
