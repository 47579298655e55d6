/** The operation that was paid for still runs when its chunk's time is over. No failure: the job comes back for it. */
export class OperationRunning extends Error {
  override readonly name = 'OperationRunning';
  readonly afterMs: number;

  constructor(operation: string, afterMs: number) {
    super(`the operation ${operation} still runs`);
    this.afterMs = afterMs;
  }
}
