import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { childEnvironment, modelIn, readConfig } from './config.ts';
import { usableCores } from './cores.ts';
import { engineTable } from './engines.ts';

const needed = { NATS_URL: 'nats://127.0.0.1:4222', EARSHOT_STORAGE_URL: 'file:/tmp/x' };

describe('the configuration', () => {
  it('has defaults for everything but the broker and the store', () => {
    expect(readConfig(needed)).toMatchObject({
      PORT: 8083,
      EARSHOT_ENGINES: 'sherpa',
      WORKER_MAX_TASKS_PER_CHILD: 50,
      EARSHOT_WORKER_MEMORY_LIMIT_MB: 1024,
      TASK_TIME_LIMIT: 7200,
      EARSHOT_MAX_RECORDING_HOURS: 24,
    });
    expect(() => readConfig({})).toThrow(/NATS_URL[\s\S]*EARSHOT_STORAGE_URL/);
  });

  it('names engines that this build does not know, and the model that a process of its own needs', () => {
    const wrong = () => readConfig({ ...needed, EARSHOT_ENGINES: 'sherpa,nobody' }, { needsModelDir: true });
    expect(wrong).toThrow(
      /EARSHOT_ENGINES names nobody, this build knows .*sherpa[\s\S]*EARSHOT_MODEL_DIR is required/,
    );
  });

  it('says which files a folder without a whole model lacks', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'earshot-model-'));
    const read = () => readConfig({ ...needed, EARSHOT_MODEL_DIR: folder }, { needsModelDir: true });
    expect(read).toThrow(
      `EARSHOT_MODEL_DIR is ${folder}, which lacks encoder_model.ort, decoder_model_merged.ort, tokens.txt, silero_vad_v5.onnx`,
    );
    for (const file of Object.values(modelIn(folder))) await writeFile(file, '');
    expect(read().EARSHOT_MODEL_DIR).toBe(folder);
    await rm(folder, { recursive: true });
  });

  it('asks for no speech model where every engine is a remote one', () => {
    const engines = { ...engineTable, remote: { runs: 'parent', load: async () => ({}) as never } } as const;
    const build = { engines, needsModelDir: true };
    expect(readConfig({ ...needed, EARSHOT_ENGINES: 'remote' }, build).EARSHOT_MODEL_DIR).toBeUndefined();
    expect(() => readConfig({ ...needed, EARSHOT_ENGINES: 'remote,sherpa' }, build)).toThrow(
      /EARSHOT_MODEL_DIR/,
    );
  });

  it('tells what is wrong with credentials of Google before anything is asked of it, without showing them', () => {
    const google = { ...needed, EARSHOT_ENGINES: 'google' };
    const wrong = { GOOGLE_APPLICATION_CREDENTIALS_JSON: 'hush', EARSHOT_GOOGLE_MODEL: 'chirp_9' };
    const read = () => readConfig({ ...google, ...wrong });
    expect(read).toThrow(/CREDENTIALS_JSON is not usable: it is neither JSON/);
    expect(read).toThrow(/EARSHOT_GOOGLE_MODEL is not of the right form/);
    expect(read).not.toThrow(/hush/);
    // Recordings in buckets want them too, whatever the engine.
    expect(() => readConfig({ ...needed, GOOGLE_APPLICATION_CREDENTIALS_JSON: 'hush' })).toThrow(
      /neither JSON/,
    );
  });

  it('lets children see no credentials', () => {
    const env = { PATH: '/bin', NATS_TOKEN: 'secret', EARSHOT_API_KEY: 'secret', LD_LIBRARY_PATH: '/lib' };
    expect(childEnvironment(env)).toEqual({ PATH: '/bin', LD_LIBRARY_PATH: '/lib' });
  });
});

describe('the cores', () => {
  it('are those a container may use', () => {
    expect(usableCores('100000 100000')).toBe(1);
    expect(usableCores('50000 100000')).toBe(1);
    expect(usableCores('max 100000')).toBe(usableCores(''));
  });
});
