import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { EmbeddedError } from '../errors.ts';
import type { ResolvedSpeechModel } from './speech-model.ts';
import { tokensText } from './tokens.ts';

const NEEDED = ['encoder_model.ort', 'decoder_model_merged.ort', 'silero_vad_v5.onnx'];

/** The model in a folder of the user's own. Writes nothing there: a missing tokens.txt is made in the cache. */
export async function modelFromSetting(folder: string, cacheDir: string): Promise<ResolvedSpeechModel> {
  const missing = [];
  for (const name of NEEDED) if (!(await exists(join(folder, name)))) missing.push(name);
  const ready = await exists(join(folder, 'tokens.txt'));
  if (!ready && !(await exists(join(folder, 'tokenizer.bin')))) missing.push('tokens.txt or tokenizer.bin');
  if (missing.length > 0) {
    throw new EmbeddedError(
      'NOT_FOUND',
      `EARSHOT_MODEL_DIR is ${folder}, which lacks ${missing.join(', ')}.`,
    );
  }
  return {
    name: basename(folder),
    encoder: join(folder, 'encoder_model.ort'),
    decoder: join(folder, 'decoder_model_merged.ort'),
    tokens: ready ? join(folder, 'tokens.txt') : await makeTokens(join(folder, 'tokenizer.bin'), cacheDir),
    vad: join(folder, 'silero_vad_v5.onnx'),
    samples: [],
    source: 'setting',
  };
}

async function makeTokens(tokenizer: string, cacheDir: string): Promise<string> {
  const bytes = await readFile(tokenizer);
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const path = join(cacheDir, `tokens-${hash}.txt`);
  if (await exists(path)) return path;
  await mkdir(cacheDir, { recursive: true });
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, tokensText(bytes));
  await rename(draft, path);
  return path;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
