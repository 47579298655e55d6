import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { embeddedOptionsFromEnv, resolveFfmpeg, resolveSpeechModel } from '@earshot/embedded';

const options = embeddedOptionsFromEnv(process.env);
const [program, resolved] = await Promise.all([resolveFfmpeg(options), resolveSpeechModel(options)]);

export const ffmpeg = program.path;

const { encoder, decoder, tokens, vad } = resolved;
export const model = { encoder, decoder, tokens, vad };

const sample = (name: string): string => {
  const path = resolved.samples.find((candidate) => basename(candidate) === name);
  if (!path) throw new Error(`the speech model came without ${name}`);
  return path;
};

/** Real speech: two_cities 44 s, beckett 10 s. */
export const samples = { two_cities: sample('two_cities.wav'), beckett: sample('beckett.wav') };

/** Makes a recording at `path` with ffmpeg. */
export async function makeRecording(path: string, ...args: string[]): Promise<string> {
  await promisify(execFile)(ffmpeg, ['-v', 'error', '-nostdin', '-y', ...args, `file:${path}`]);
  return path;
}
