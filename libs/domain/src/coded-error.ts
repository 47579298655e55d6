import { type ErrorClass, type ErrorCode, errorTable, isErrorCode } from './error-codes.ts';

/** An error with a code of the table; `message` is the detail a user may read, so it holds no secrets. */
export class CodedError extends Error {
  override readonly name = 'CodedError';
  readonly code: ErrorCode;
  /** Field-level findings, e.g. of a schema check. */
  readonly errors: readonly string[];
  /** When to come back, in milliseconds, where whoever refused said so. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    detail?: string,
    options: { cause?: unknown; errors?: readonly string[]; retryAfterMs?: number | undefined } = {},
  ) {
    super(
      detail ?? errorTable[code].title,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.errors = options.errors ?? [];
    this.retryAfterMs = options.retryAfterMs;
  }

  get class(): ErrorClass {
    return errorTable[this.code].class;
  }
}

/** Returns `error` itself when it is coded (also across processes), otherwise wraps it under `fallback`. */
export function toCodedError(error: unknown, fallback: ErrorCode = 'internal'): CodedError {
  if (error instanceof CodedError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = (error as { code?: unknown } | null)?.code;
  return new CodedError(typeof code === 'string' && isErrorCode(code) ? code : fallback, message, {
    cause: error,
  });
}
