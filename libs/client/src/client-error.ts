import type { Problem } from '@earshot/contracts';

/** What the server answered instead of a result; `code` is one of docs/errors.md, or `unreachable` without an answer. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: string;
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  readonly help: string | undefined;
  /** What is wrong with which field. */
  readonly errors: readonly string[];
  readonly requestId: string | undefined;

  constructor(problem: Pick<Problem, 'code' | 'status' | 'detail'> & Partial<Problem>, cause?: unknown) {
    super(problem.detail, cause === undefined ? undefined : { cause });
    this.code = problem.code;
    this.status = problem.status;
    this.help = problem.help;
    this.errors = problem.errors ?? [];
    this.requestId = problem.instance;
  }

  /** True when the same request, sent again with the same idempotency key, may succeed. */
  get retryable(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/** Thrown by `transcripts.wait` when the transcript failed or was canceled; `get` returns such a transcript instead. */
export class TranscriptError extends Error {
  override readonly name = 'TranscriptError';
  readonly code: string;
  readonly transcriptId: string;

  constructor(transcriptId: string, code: string, detail: string) {
    super(detail);
    this.transcriptId = transcriptId;
    this.code = code;
  }
}
