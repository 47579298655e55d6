import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where the parts for tests lie until libs/embedded supplies them. */
const cache = process.env.EARSHOT_DEV_PARTS ?? join(homedir(), '.cache', 'earshot-dev');

function part(name: string): string {
  const path = join(cache, name);
  if (!existsSync(path)) throw new Error(`${name} is missing among the development parts`);
  return path;
}

export const ffmpeg = part('ffmpeg');

export const speechModel = {
  encoder: part('encoder_model.ort'),
  decoder: part('decoder_model_merged.ort'),
  tokens: part('tokens.txt'),
  vad: part('silero_vad_v5.onnx'),
};

/** Real speech: two_cities 44 s at 48 kHz, beckett 10 s at 16 kHz, endgame (two voices) 28 s at 24 kHz. */
export const samples = {
  two_cities: part('two_cities.wav'),
  beckett: part('beckett.wav'),
  endgame: part('endgame_nagg_nell.wav'),
};
