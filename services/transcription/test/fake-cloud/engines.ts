import type { EngineTable } from '../../src/engines.ts';
import { blindEngine } from './blind-engine.ts';
import { freeEngine } from './free-engine.ts';
import { lookupEngine } from './lookup-engine.ts';

/** One engine of each billing kind over the vendor at `url`. */
export const cloudEngines = (url: string): EngineTable => ({
  free: { runs: 'parent', load: async () => freeEngine(url) },
  lookup: { runs: 'parent', load: async () => lookupEngine(url) },
  blind: { runs: 'parent', load: async () => blindEngine(url) },
});
