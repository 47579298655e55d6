import { EmbeddedError, messageOf } from '../errors.ts';
import type { EmbeddedOptions } from '../options.ts';
import { type BinaryRecipe, canFetch, findBinary } from '../pieces/binary.ts';
import { ffmpegRecipe } from '../pieces/ffmpeg.ts';
import { natsServerRecipe } from '../pieces/nats-server.ts';
import { findSpeechModel } from '../pieces/speech-model.ts';
import { resolvePostgres } from '../postgres/resolve.ts';
import type { DoctorRow } from './doctor.ts';

const LATER = 'not here yet; fetched at the first start';

/** One row per external piece; nothing is downloaded. */
export function pieceRows(options: EmbeddedOptions): Promise<DoctorRow[]> {
  return Promise.all([
    binaryRow(natsServerRecipe(options), options),
    binaryRow(ffmpegRecipe(options), options),
    guard('postgres', async () => {
      const { version, postgres, source, runAs } = await resolvePostgres(options);
      const as = runAs === undefined ? '' : `, runs as ${runAs.name}`;
      return { part: 'postgres', found: true, version, where: postgres, source: source + as };
    }),
    guard('speech model', async () => {
      const found = await findSpeechModel(options);
      if (found === undefined) return { part: 'speech model', found: false, version: LATER };
      return {
        part: 'speech model',
        found: true,
        version: found.name,
        where: found.encoder,
        source: found.source,
      };
    }),
  ]);
}

function binaryRow(recipe: BinaryRecipe, options: EmbeddedOptions): Promise<DoctorRow> {
  return guard(recipe.part, async () => {
    const found = await findBinary(recipe, options);
    if (found !== undefined) {
      return {
        part: recipe.part,
        found: true,
        version: found.version,
        where: found.path,
        source: found.source,
      };
    }
    if (canFetch(recipe)) return { part: recipe.part, found: false, version: LATER };
    const problem = 'missing, and there is no tested build for this system';
    return { part: recipe.part, found: false, problem, help: recipe.help };
  });
}

async function guard(part: string, look: () => Promise<DoctorRow>): Promise<DoctorRow> {
  try {
    return await look();
  } catch (error) {
    const help = error instanceof EmbeddedError ? error.help : undefined;
    const problem = messageOf(error).split('\n')[0] ?? 'unknown';
    return { part, found: false, problem, ...(help === undefined ? {} : { help }) };
  }
}
