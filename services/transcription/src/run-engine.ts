import type { Segment } from '@earshot/domain';
import type { EngineInput, EngineOptions, Heard, SpeechEngine } from '@earshot/engine';

/** All that one engine call gave. Times are milliseconds from the start of its input. */
export interface EngineResult {
  readonly segments: readonly Segment[];
  readonly heard: readonly Heard[];
  /** Wall time of the call. */
  readonly engine_ms: number;
}

/** Runs one call to its end. The same function serves remote engines here and local ones inside a child process. */
export async function runEngine(
  engine: SpeechEngine,
  input: EngineInput,
  options: EngineOptions,
  context: { signal: AbortSignal; heartbeat: () => void },
): Promise<EngineResult> {
  const started = performance.now();
  const segments: Segment[] = [];
  const heard: Heard[] = [];
  const call = engine.transcribe(input, options, { ...context, heard: (found) => heard.push(found) });
  for await (const segment of call) {
    segments.push(segment);
    context.heartbeat();
  }
  return { segments, heard, engine_ms: Math.round(performance.now() - started) };
}
