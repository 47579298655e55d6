import { CodedError } from '@earshot/domain';
import type { SpeechEngine } from '@earshot/engine';
import type { SherpaModel } from '@earshot/engine-sherpa';

/** What engines are made from: plain data, because it crosses into child processes. */
export interface EngineSettings {
  readonly model: SherpaModel;
}

/** One engine this service can run. */
export interface EngineEntry {
  /** `child`: native code, in a pool of child processes. `parent`: a remote call. */
  readonly runs: 'child' | 'parent';
  /** A warm engine; its SDK is imported only here, so that an installation pays for what it configured. */
  readonly load: (settings: EngineSettings) => Promise<SpeechEngine>;
}

/** Engines by name. */
export type EngineTable = Readonly<Record<string, EngineEntry>>;

/** Every engine this service can run; the child processes of those that need them know no other table. */
export const engineTable: EngineTable = {
  sherpa: { runs: 'child', load: async ({ model }) => warmSherpa(model) },
};

/** Loads an engine in this process; throws `unknown_engine`. */
export async function loadEngine(name: string, settings: EngineSettings): Promise<SpeechEngine> {
  return engineEntry(engineTable, name).load(settings);
}

/** The engine's row in the table; throws `unknown_engine`. */
export function engineEntry(table: EngineTable, name: string): EngineEntry {
  const entry = table[name];
  if (entry) return entry;
  const known = Object.keys(table).join(', ');
  throw new CodedError('unknown_engine', `this build knows ${known}, not ${name}`);
}

async function warmSherpa(model: SherpaModel): Promise<SpeechEngine> {
  const { createSherpaEngine } = await import('@earshot/engine-sherpa');
  const engine = createSherpaEngine({ model });
  await engine.warm();
  return engine;
}
