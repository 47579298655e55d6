export { type CombinedOptions, type RunningCombined, startCombined } from './start-combined.ts';
