import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { EmbeddedError } from './errors.ts';

/** Lower-case hex SHA-256 of a file, read once in 1 MB pieces. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Throws BAD_HASH when they differ; `what` names the thing in the message. */
export function requireHash(what: string, expected: string, actual: string): void {
  if (expected === actual) return;
  throw new EmbeddedError(
    'BAD_HASH',
    `${what} is not the file Earshot was tested with and was not used (SHA-256 ${actual}, expected ${expected}).`,
  );
}
