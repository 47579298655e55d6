import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createInflateRaw } from 'node:zlib';
import { EmbeddedError } from '../errors.ts';

/** One file inside a zip archive; sizes in bytes. */
export interface ZipEntry {
  readonly name: string;
  readonly size: number;
  readonly compressedSize: number;
  readonly stored: boolean;
  readonly headerOffset: number;
}

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_SIZE = 22;
const MAX_COMMENT = 0xffff;

/** The files of an archive, read from its directory at the end. Unsafe names, zip64 and encryption throw BAD_ARCHIVE. */
export async function listZip(path: string): Promise<ZipEntry[]> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const end = await readAt(file, Math.max(0, size - END_SIZE - MAX_COMMENT), size);
    const at = findEnd(end);
    if (at === undefined) throw bad(path, 'it has no directory: the download is cut off or not a zip file');
    const start = end.readUInt32LE(at + 16);
    const length = end.readUInt32LE(at + 12);
    if (start === 0xffffffff || start + length > size) throw bad(path, 'its directory lies outside the file');
    return [...parse(await readAt(file, start, start + length), path)];
  } finally {
    await file.close();
  }
}

/** The bytes of one entry, inflated while read; errors of the data come through the stream. */
export async function openZipEntry(path: string, entry: ZipEntry): Promise<Readable> {
  const file = await open(path, 'r');
  let header: Buffer;
  try {
    header = await readAt(file, entry.headerOffset, entry.headerOffset + 30);
  } finally {
    await file.close();
  }
  if (header.length < 30 || header.readUInt32LE(0) !== LOCAL_SIGNATURE)
    throw bad(path, `no ${entry.name} in it`);
  const start = entry.headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  const bytes = createReadStream(path, {
    start,
    end: start + entry.compressedSize - 1,
    highWaterMark: 1 << 20,
  });
  if (entry.stored) return bytes;
  const inflated = createInflateRaw({ chunkSize: 1 << 18 });
  bytes.on('error', (error) => inflated.destroy(error));
  return bytes.pipe(inflated);
}

function findEnd(bytes: Buffer): number | undefined {
  for (let at = bytes.length - END_SIZE; at >= 0; at--) {
    if (bytes.readUInt32LE(at) === END_SIGNATURE) return at;
  }
  return undefined;
}

function* parse(directory: Buffer, path: string): Generator<ZipEntry> {
  for (let at = 0; at + 46 <= directory.length; ) {
    if (directory.readUInt32LE(at) !== ENTRY_SIGNATURE) throw bad(path, 'its directory is damaged');
    const nameEnd = at + 46 + directory.readUInt16LE(at + 28);
    const name = directory.toString('utf8', at + 46, nameEnd);
    const method = directory.readUInt16LE(at + 10);
    if (!isSafeName(name)) throw bad(path, `it wants to write outside its folder: ${JSON.stringify(name)}`);
    if (method !== 0 && method !== 8) throw bad(path, `${name} is packed in an unknown way (${method})`);
    if ((directory.readUInt16LE(at + 8) & 1) === 1) throw bad(path, `${name} is encrypted`);
    const [compressedSize, size] = [directory.readUInt32LE(at + 20), directory.readUInt32LE(at + 24)];
    const headerOffset = directory.readUInt32LE(at + 42);
    if (!name.endsWith('/')) yield { name, size, compressedSize, stored: method === 0, headerOffset };
    at = nameEnd + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
}

/** Relative, forward slashes, no step upwards, no drive letter, no NUL. */
function isSafeName(name: string): boolean {
  if (name === '' || name.startsWith('/') || /[\\\0:]/.test(name)) return false;
  return !name.split('/').includes('..');
}

async function readAt(file: FileHandle, start: number, end: number): Promise<Buffer> {
  const buffer = Buffer.alloc(end - start);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
  return buffer.subarray(0, bytesRead);
}

function bad(path: string, why: string): EmbeddedError {
  return new EmbeddedError('BAD_ARCHIVE', `${path} cannot be unpacked: ${why}.`);
}
