import { CodedError, type ErrorCode } from '@earshot/domain';

/** An error of a child process with the last lines it wrote, which go into the dead letter. */
export class ChildError extends CodedError {
  readonly stderr_tail: string;

  constructor(code: ErrorCode, detail: string, stderrTail: string, errors: readonly string[] = []) {
    super(code, detail, { errors });
    this.stderr_tail = stderrTail;
  }
}

/** What an end that nobody asked for means. A SIGKILL that is not ours comes from the kernel's memory killer. */
export function deathError(exit: ChildExit, stderrTail: string): ChildError {
  if (exit.error) return new ChildError('worker_crashed', `no child: ${exit.error.message}`, stderrTail);
  if (exit.signal === 'SIGKILL') {
    return new ChildError('out_of_memory', 'the child was killed from outside (SIGKILL)', stderrTail);
  }
  const how = exit.signal ? `by ${exit.signal}` : `with exit code ${exit.code}`;
  return new ChildError('worker_crashed', `the child ended ${how}`, stderrTail);
}

/** How a child process ended; `error` when it never began. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error?: Error;
}
