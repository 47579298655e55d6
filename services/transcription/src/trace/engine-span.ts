import type { EngineInput } from '@earshot/engine';
import { context, type Span, trace } from '@opentelemetry/api';
import type { EngineInfo } from '../children/protocol.ts';
import type { EngineResult } from '../run-engine.ts';
import { inSpan, tracer } from './in-span.ts';

/**
 * Runs an engine call in the span `engine`, which tells model, audio and realtime factor (seconds of work for one of
 * audio). Engines in child processes have no spans of their own: the timings they return become spans here.
 */
export function inEngineSpan(
  { name, model }: EngineInfo,
  { duration_ms }: EngineInput,
  run: () => Promise<EngineResult>,
): Promise<EngineResult> {
  const attributes = {
    'earshot.engine': name,
    'earshot.model': model,
    'earshot.audio_seconds': duration_ms / 1000,
  };
  return inSpan('engine', attributes, async (span) => {
    const result = await run();
    span.setAttribute('earshot.realtime_factor', result.engine_ms / Math.max(1, duration_ms));
    addStepSpans(span, result, Date.now());
    return result;
  });
}

/** A step that was done in pieces becomes one span as long as all of them. */
function addStepSpans(parent: Span, { engine_ms, steps }: EngineResult, endMs: number): void {
  const inside = trace.setSpan(context.active(), parent);
  for (const { name, at_ms, ms } of steps) {
    const startTime = endMs - engine_ms + at_ms;
    tracer.startSpan(name, { startTime }, inside).end(startTime + ms);
  }
}
