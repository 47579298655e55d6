import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** Opens `<home>/logs/earshot.log` for appending, so that stdout stays free for transcripts. */
export async function openLogFile(home: string): Promise<{ path: string; stream: NodeJS.WritableStream }> {
  const folder = join(resolve(home), 'logs');
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'earshot.log');
  return { path, stream: createWriteStream(path, { flags: 'a' }) };
}
