export { createSherpaEngine, type SherpaEngine, type SherpaEngineOptions } from './sherpa-engine.ts';
export type { SherpaModel } from './sherpa-model.ts';
