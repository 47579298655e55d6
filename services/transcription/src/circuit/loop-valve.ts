import type { JobLoop } from '@earshot/messaging';

/** How much a loop may take: all its slots, one job at a time to try, or nothing. */
export type Flow = 'open' | 'one' | 'shut';

/** Lets several watchers of dependencies say how much a loop may take; the strictest of them counts. */
export class LoopValve {
  readonly #wishes = new Map<string, Flow>();
  readonly #loops: JobLoop[] = [];

  /** Loops that follow from now on. */
  attach(loop: JobLoop): void {
    this.#loops.push(loop);
    this.#apply();
  }

  /** What `watcher` wants; `open` when it has nothing against it any more. */
  set(watcher: string, flow: Flow): void {
    this.#wishes.set(watcher, flow);
    this.#apply();
  }

  #apply(): void {
    const wishes = [...this.#wishes.values()];
    const shut = wishes.includes('shut');
    for (const loop of this.#loops) {
      loop.limit(wishes.includes('one') ? 1 : Number.POSITIVE_INFINITY);
      if (shut) loop.pause();
      else loop.resume();
    }
  }
}
