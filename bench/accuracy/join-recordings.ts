import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ffmpeg } from '../../libs/audio/test/parts.ts';
import type { KnownRecording } from './recordings.ts';

/** One long recording in `folder`, all of `parts` one after another `times` times: it has to be cut into chunks. */
export async function joinRecordings(
  parts: readonly KnownRecording[],
  times: number,
  folder: string,
): Promise<KnownRecording> {
  const all = Array.from({ length: times }, () => parts).flat();
  const path = join(folder, 'long.mp3');
  const inputs = all.flatMap((part) => ['-i', part.path]);
  const same = all.map((_, n) => `[${n}]aresample=48000,aformat=channel_layouts=mono[r${n}]`).join(';');
  const concat = `${all.map((_, n) => `[r${n}]`).join('')}concat=n=${all.length}:v=0:a=1`;
  const args = ['-v', 'error', '-y', ...inputs, '-filter_complex', `${same};${concat}`, '-b:a', '96k', path];
  execFileSync(ffmpeg, args);
  return { name: `long, ${times} x all`, path, text: all.map(({ text }) => text).join(' ') };
}
