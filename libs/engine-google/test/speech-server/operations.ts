/** How an operation ended. */
export type OperationEnd =
  | { readonly response: Record<string, unknown> }
  | { readonly error: { readonly code: number; readonly message: string } };

/** One operation of the server. */
export interface SpeechOperation {
  readonly name: string;
  /** The request as it came. */
  readonly request: Record<string, unknown>;
  readonly startedAt: number;
  readonly visibleAt: number;
  /** Undefined while it runs. */
  end: OperationEnd | undefined;
}

interface Running extends SpeechOperation {
  readonly finish: () => Promise<OperationEnd>;
  readonly ended: () => void;
  timer: NodeJS.Timeout | undefined;
}

/** Operations that run for a time that may be changed, and are kept for good. */
export class SpeechOperations {
  readonly #all = new Map<string, Running>();

  start(
    name: string,
    request: Record<string, unknown>,
    run: { ms: number; visibleAfterMs: number; finish: () => Promise<OperationEnd>; ended: () => void },
  ): void {
    const startedAt = performance.now();
    const operation: Running = {
      ...{
        name,
        request,
        startedAt,
        visibleAt: startedAt + run.visibleAfterMs,
        end: undefined,
        timer: undefined,
      },
      ...{ finish: run.finish, ended: run.ended },
    };
    this.#all.set(name, operation);
    this.#time(operation, run.ms);
  }

  get(name: string): SpeechOperation | undefined {
    return this.#all.get(name);
  }

  /** Those that can be seen by now, newest first. */
  list(): SpeechOperation[] {
    const now = performance.now();
    return [...this.#all.values()].filter(({ visibleAt }) => visibleAt <= now).reverse();
  }

  /** Changes how long the running ones run, counted from their start. */
  retime(ms: number): void {
    for (const operation of this.#all.values()) if (!operation.end) this.#time(operation, ms);
  }

  cancel(name: string): void {
    const operation = this.#all.get(name);
    if (operation) this.#end(operation, { error: { code: 1, message: 'canceled' } });
  }

  stop(): void {
    for (const { timer } of this.#all.values()) clearTimeout(timer);
  }

  #time(operation: Running, ms: number): void {
    clearTimeout(operation.timer);
    const left = operation.startedAt + ms - performance.now();
    const finish = () =>
      void operation.finish().then(
        (end) => this.#end(operation, end),
        () => this.#end(operation, { error: { code: 13, message: 'its output could not be written' } }),
      );
    operation.timer = setTimeout(finish, Math.max(0, left));
  }

  #end(operation: Running, end: OperationEnd): void {
    if (operation.end) return;
    clearTimeout(operation.timer);
    operation.end = end;
    operation.ended();
  }
}
