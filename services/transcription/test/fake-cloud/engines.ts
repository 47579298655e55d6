import type { EngineTable } from '../../src/engines.ts';
import { freeEngine } from './free-engine.ts';

/** One engine of each billing kind over the vendor at `url`. */
export const cloudEngines = (url: string): EngineTable => ({
  free: { runs: 'parent', load: async () => freeEngine(url) },
});
