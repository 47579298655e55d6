import { CodedError } from '@earshot/domain';
import type { SpeechEngine } from '@earshot/engine';
import type { OpenGoogleOptions } from '@earshot/engine-google';
import type { SherpaModel } from '@earshot/engine-sherpa';

/** What engines in child processes are made from: plain data, and nothing secret. */
export interface ChildEngineSettings {
  /** Needed by local engines only. */
  readonly model?: SherpaModel | undefined;
}

/** What engines are made from. */
export interface EngineSettings extends ChildEngineSettings {
  /** Needed by `google`. */
  readonly google?: OpenGoogleOptions | undefined;
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
  google: { runs: 'parent', load: async ({ google }) => openGoogle(google) },
};

/** Loads a local engine in this process, which is a child; throws `unknown_engine`. */
export async function loadEngine(name: string, settings: ChildEngineSettings): Promise<SpeechEngine> {
  return engineEntry(engineTable, name).load(settings);
}

/** Whether any of these engines runs a speech model on this machine; names that are not in the table do not. */
export const needModel = (names: readonly string[], table: EngineTable = engineTable): boolean =>
  names.some((name) => table[name]?.runs === 'child');

/** The engine's row in the table; throws `unknown_engine`. */
export function engineEntry(table: EngineTable, name: string): EngineEntry {
  const entry = table[name];
  if (entry) return entry;
  const known = Object.keys(table).join(', ');
  throw new CodedError('unknown_engine', `this build knows ${known}, not ${name}`);
}

async function warmSherpa(model: SherpaModel | undefined): Promise<SpeechEngine> {
  if (!model) throw new CodedError('unavailable', 'no speech model was given');
  const { createSherpaEngine } = await import('@earshot/engine-sherpa');
  const engine = createSherpaEngine({ model });
  await engine.warm();
  return engine;
}

async function openGoogle(options: OpenGoogleOptions | undefined): Promise<SpeechEngine> {
  if (!options?.staging) {
    const how = 'set EARSHOT_GOOGLE_STAGING_URL=gs://bucket/folder, or keep recordings in a bucket';
    throw new CodedError('unavailable', `the engine google needs a bucket: ${how}`);
  }
  const { openGoogleEngine } = await import('@earshot/engine-google');
  return openGoogleEngine(options);
}
