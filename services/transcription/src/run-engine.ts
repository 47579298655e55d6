import { CodedError, type Segment } from '@earshot/domain';
import type {
  EngineInput,
  EngineOptions,
  EngineStep,
  Heard,
  PaidCallLedger,
  SpeechEngine,
} from '@earshot/engine';

/** How long a step of a call took in all, and when it first began after the call's start; milliseconds. */
export interface StepTime {
  readonly name: EngineStep;
  readonly at_ms: number;
  readonly ms: number;
}

/** All that one engine call gave. Times are milliseconds from the start of its input. */
export interface EngineResult {
  readonly segments: readonly Segment[];
  readonly heard: readonly Heard[];
  /** Wall time of the call. */
  readonly engine_ms: number;
  /** What the engine told of its steps. */
  readonly steps: readonly StepTime[];
}

/** Where nothing may cost money: in child processes. */
const noLedger: PaidCallLedger = {
  pay: () => Promise.reject(new CodedError('internal', 'a paid engine runs in the parent')),
};

/** Runs one call to its end. The same function serves remote engines here and local ones inside a child process. */
export async function runEngine(
  engine: SpeechEngine,
  input: EngineInput,
  options: EngineOptions,
  context: { signal: AbortSignal; heartbeat: () => void; ledger?: PaidCallLedger },
): Promise<EngineResult> {
  const started = performance.now();
  const segments: Segment[] = [];
  const heard: Heard[] = [];
  const steps = new Map<EngineStep, StepTime>();
  const timed = (name: EngineStep, ms: number) => {
    const { at_ms, ms: before } = steps.get(name) ?? { at_ms: performance.now() - started - ms, ms: 0 };
    steps.set(name, { name, at_ms, ms: before + ms });
  };
  const whole = { ledger: noLedger, ...context, heard: (found: Heard) => heard.push(found), timed };
  const call = engine.transcribe(input, options, whole);
  for await (const segment of call) {
    segments.push(segment);
    context.heartbeat();
  }
  return { segments, heard, engine_ms: Math.round(performance.now() - started), steps: [...steps.values()] };
}
