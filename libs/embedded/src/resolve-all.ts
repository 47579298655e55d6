import { EmbeddedError, messageOf } from './errors.ts';
import type { EmbeddedOptions } from './options.ts';
import type { ResolvedBinary } from './pieces/binary.ts';
import { resolveFfmpeg } from './pieces/ffmpeg.ts';
import { resolveNatsServer } from './pieces/nats-server.ts';
import { type ResolvedSpeechModel, resolveSpeechModel } from './pieces/speech-model.ts';
import { type ResolvedPostgres, resolvePostgres } from './postgres/resolve.ts';

/** Everything a whole system on one machine needs. */
export interface ResolvedPieces {
  readonly natsServer: ResolvedBinary;
  readonly ffmpeg: ResolvedBinary;
  readonly postgres: ResolvedPostgres;
  readonly speechModel: ResolvedSpeechModel;
}

/** Resolves all pieces side by side; when some cannot be had, throws one EmbeddedError that names every one of them. */
export async function resolveAll(options: EmbeddedOptions): Promise<ResolvedPieces> {
  const results = await Promise.allSettled([
    resolveNatsServer(options),
    resolveFfmpeg(options),
    resolvePostgres(options),
    resolveSpeechModel(options),
  ]);
  const [natsServer, ffmpeg, postgres, speechModel] = results;
  const failures = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  if (failures.length === 0) {
    return {
      natsServer: value(natsServer),
      ffmpeg: value(ffmpeg),
      postgres: value(postgres),
      speechModel: value(speechModel),
    };
  }
  const [first] = failures;
  const code = first instanceof EmbeddedError ? first.code : 'NOT_FOUND';
  throw new EmbeddedError(code, failures.map(messageOf).join('\n\n'), undefined, { cause: first });
}

function value<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}
