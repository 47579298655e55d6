import { mkdir, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ResolvedSpeechModel } from './speech-model.ts';

/**
 * Puts links to the parts of the model into `folder`, which it makes, as EARSHOT_MODEL_DIR wants them; returns the folder.
 * Idempotent, also beside another process that does the same.
 */
export async function linkSpeechModel(model: ResolvedSpeechModel, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const file of [model.encoder, model.decoder, model.tokens, model.vad]) {
    const link = join(folder, basename(file));
    await rm(link, { force: true });
    await symlink(file, link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
  return folder;
}
