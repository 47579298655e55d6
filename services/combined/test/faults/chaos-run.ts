import { inject, type TestContext } from 'vitest';
import { type Figures, figuresOf } from './figures.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** How a long run was started; see `tools/chaos.mjs`. */
    readonly chaos: { readonly full: boolean; readonly seed: number };
  }
  interface TaskMeta {
    /** What a test measured; `tools/chaos.mjs` prints it. */
    figures?: Figures[];
  }
}

/** The seed of this run. */
export const seed = () => inject('chaos').seed;

/** Whether this run has an hour, not minutes. */
export const isFull = () => inject('chaos').full;

/** One size for a run that has minutes, another for one that has an hour. */
export const size = (usual: number, full: number) => (isFull() ? full : usual);

/** Adds a row to the table that the run ends with, and returns it. */
export function measured(
  { task }: Pick<TestContext, 'task'>,
  scenario: string,
  limit: string,
  times: readonly number[],
): Figures {
  const figures = figuresOf(scenario, limit, times);
  task.meta.figures = [...(task.meta.figures ?? []), figures];
  return figures;
}
