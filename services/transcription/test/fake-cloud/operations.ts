import type { Fault } from './behaviour.ts';
import type { SpokenChannel } from './spoken-text.ts';

/** How an operation stands, as the vendor answers it. */
export type OperationAnswer =
  | { readonly state: 'running' }
  | { readonly state: 'done'; readonly result: readonly SpokenChannel[]; readonly billed_ms: number }
  | {
      readonly state: 'failed';
      readonly error: { readonly code: string; readonly message: string };
      readonly billed_ms: number;
    };

interface Operation {
  readonly name: string;
  readonly outputUri: string;
  readonly visibleAt: number;
  readonly ended: () => void;
  readonly startedAt: number;
  readonly last: Exclude<OperationAnswer, { state: 'running' }>;
  timer: NodeJS.Timeout | undefined;
  answer: OperationAnswer;
}

/** Ends of an operation by the fault its call met. */
const failures: Partial<Record<Fault, { code: string; message: string }>> = {
  fail: { code: 'INTERNAL', message: 'the operation failed, try again' },
  fail_for_good: { code: 'INVALID_AUDIO', message: 'the audio cannot be read' },
};

/** The operations of the vendor. They are never the same one twice, whatever their output URI. */
export class Operations {
  readonly #all = new Map<string, Operation>();

  /** Starts one that ends after `operationMs`; `ended` is called once. It costs the same whether it fails or not. */
  start(
    outputUri: string,
    result: readonly SpokenChannel[],
    run: {
      operationMs: number;
      visibleAfterMs: number;
      billedMs: number;
      fault: Fault | undefined;
      ended: () => void;
    },
  ): string {
    const name = `operations-${this.#all.size + 1}`;
    const startedAt = performance.now();
    const error = run.fault && failures[run.fault];
    const billed_ms = run.billedMs;
    const operation: Operation = {
      name,
      outputUri,
      startedAt,
      visibleAt: startedAt + run.visibleAfterMs,
      ended: run.ended,
      last: error ? { state: 'failed', error, billed_ms } : { state: 'done', result, billed_ms },
      timer: undefined,
      answer: { state: 'running' },
    };
    this.#all.set(name, operation);
    this.#time(operation, run.operationMs);
    return name;
  }

  /** Changes how long the running ones run, counted from their start. */
  retime(operationMs: number): void {
    for (const operation of this.#all.values()) this.#time(operation, operationMs);
  }

  get(name: string): OperationAnswer | undefined {
    return this.#all.get(name)?.answer;
  }

  find(outputUri: string): string | undefined {
    const now = performance.now();
    const found = [...this.#all.values()].find(
      (operation) => operation.outputUri === outputUri && operation.visibleAt <= now,
    );
    return found?.name;
  }

  /** False when it had ended before. */
  cancel(name: string): boolean {
    const billed_ms = this.#all.get(name)?.last.billed_ms ?? 0;
    return this.#end(name, { state: 'failed', error: { code: 'CANCELED', message: 'canceled' }, billed_ms });
  }

  #time(operation: Operation, operationMs: number): void {
    clearTimeout(operation.timer);
    const leftMs = operation.startedAt + operationMs - performance.now();
    operation.timer = setTimeout(() => this.#end(operation.name, operation.last), Math.max(0, leftMs));
  }

  #end(name: string, answer: OperationAnswer): boolean {
    const operation = this.#all.get(name);
    if (operation?.answer.state !== 'running') return false;
    operation.answer = answer;
    operation.ended();
    return true;
  }
}
