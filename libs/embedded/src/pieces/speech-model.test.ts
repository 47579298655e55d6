import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.ts';
import { findSpeechModel, resolveSpeechModel } from './speech-model.ts';

async function ownModel(...names: string[]): Promise<string> {
  const folder = temporaryFolder();
  for (const name of ['encoder_model.ort', 'decoder_model_merged.ort', ...names])
    await writeFile(join(folder, name), 'x');
  return folder;
}

describe('a model of the user’s own', () => {
  test('is used as it is, its tokens made in the cache when only tokenizer.bin is there', async () => {
    const modelDir = await ownModel('silero_vad_v5.onnx');
    await writeFile(join(modelDir, 'tokenizer.bin'), Buffer.from([1, 65]));
    const cacheDir = join(temporaryFolder(), 'cache');
    const model = await resolveSpeechModel({ env: {}, cacheDir, modelDir });
    expect(model).toMatchObject({
      source: 'setting',
      vad: join(modelDir, 'silero_vad_v5.onnx'),
      samples: [],
    });
    expect(await readFile(model.tokens, 'utf8')).toBe(`${btoa('A')}\t0\n`);
    expect(await readdir(modelDir)).toHaveLength(4);
  });

  test('that is not whole is refused with what it lacks', async () => {
    const modelDir = await ownModel('tokens.txt');
    const attempt = resolveSpeechModel({ env: {}, cacheDir: temporaryFolder(), modelDir });
    await expect(attempt).rejects.toThrow(/lacks silero_vad_v5.onnx\./);
  });
});

test('looking for the model downloads nothing', async () => {
  expect(await findSpeechModel({ env: {}, cacheDir: join(temporaryFolder(), 'none') })).toBeUndefined();
});
