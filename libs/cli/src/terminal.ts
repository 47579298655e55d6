/** A stream that text goes to; `process.stdout` and `process.stderr` are. */
export interface Output {
  write(text: string): unknown;
}

/** Where a command prints and whom it may ask. */
export interface Terminal {
  /** Data, and nothing else. */
  readonly stdout: Output;
  /** Talk: what is going on, what went wrong. */
  readonly stderr: Output;
  /** Whether data may be coloured. */
  readonly color: boolean;
  /** Asks a yes-or-no question; undefined where nobody sits at a terminal. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined;
}
