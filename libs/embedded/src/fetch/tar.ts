import { gunzipSync } from 'node:zlib';
import { EmbeddedError } from '../errors.ts';

const BLOCK = 512;

/** One file out of a small .tgz held in memory (npm packages: a few MB); throws BAD_ARCHIVE when it is not there. */
export function readFromTgz(archive: Buffer, name: string): Buffer {
  const tar = gunzip(archive);
  for (let at = 0; at + BLOCK <= tar.length; ) {
    const entry = tar.toString('latin1', at, at + 100).replace(/\0.*$/s, '');
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 136), 8) || 0;
    const start = at + BLOCK;
    if (entry === name && start + size <= tar.length) return tar.subarray(start, start + size);
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  throw new EmbeddedError('BAD_ARCHIVE', `The package does not contain ${name}.`);
}

function gunzip(archive: Buffer): Buffer {
  try {
    return gunzipSync(archive);
  } catch (cause) {
    throw new EmbeddedError('BAD_ARCHIVE', 'The package is damaged or cut off.', undefined, { cause });
  }
}
