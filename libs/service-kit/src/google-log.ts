import type { LoggerOptions } from 'pino';

/** What the standard variables of Google Cloud tell a process that runs there; undefined elsewhere. */
export interface GooglePlatform {
  /** Undefined where only the metadata server knows it. */
  readonly project: string | undefined;
}

const SEVERITIES: Readonly<Record<string, string>> = {
  trace: 'DEBUG',
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARNING',
  error: 'ERROR',
  fatal: 'CRITICAL',
};

/** Lines as Cloud Logging reads them: its severity beside our level, and the text as `message`. */
export const googleLines: Pick<LoggerOptions, 'messageKey' | 'formatters'> = {
  messageKey: 'message',
  formatters: { level: (label) => ({ level: label, severity: SEVERITIES[label] ?? 'DEFAULT' }) },
};

/** The fields by which Cloud Logging joins a line with its trace; none where the project is not known. */
export function googleTrace(
  { project }: GooglePlatform,
  { traceId, spanId, traceFlags }: { traceId: string; spanId: string; traceFlags: number },
): Record<string, unknown> {
  if (!project) return {};
  return {
    'logging.googleapis.com/trace': `projects/${project}/traces/${traceId}`,
    'logging.googleapis.com/spanId': spanId,
    'logging.googleapis.com/trace_sampled': (traceFlags & 1) === 1,
  };
}
