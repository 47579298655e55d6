import type { EngineCapabilities, EngineInput, EngineOptions } from '@earshot/engine';
import type { EngineResult } from '../run-engine.ts';

/** What a loaded engine tells about itself. */
export interface EngineInfo {
  readonly name: string;
  readonly model: string;
  readonly capabilities: EngineCapabilities;
}

/** One engine call. */
export interface EngineTask {
  readonly input: EngineInput;
  readonly options: EngineOptions;
}

/** What the parent says. A child does one task at a time, so nothing needs an id. */
export type ToChild =
  | { readonly type: 'load'; readonly engine: string; readonly settings: unknown }
  | { readonly type: 'run'; readonly task: EngineTask }
  | { readonly type: 'abort' };

/** A coded error on its way between processes. */
interface Failure {
  readonly code: string;
  readonly message: string;
  readonly errors: readonly string[];
}

/** What ends a wait of the parent. */
export type Answer =
  | { readonly type: 'loaded'; readonly info: EngineInfo; readonly load_ms: number }
  | { readonly type: 'done'; readonly result: EngineResult }
  | { readonly type: 'failed'; readonly failure: Failure };

/** What the child says. `beat` is progress; it carries the child's own idea of its resident memory. */
export type FromChild = Answer | { readonly type: 'beat'; readonly rss_bytes: number };
