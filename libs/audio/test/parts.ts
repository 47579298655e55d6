import { basename } from 'node:path';
import { embeddedOptionsFromEnv, resolveFfmpeg, resolveSpeechModel } from '@earshot/embedded';

const options = embeddedOptionsFromEnv(process.env);
const [program, model] = await Promise.all([resolveFfmpeg(options), resolveSpeechModel(options)]);

/** Path of the ffmpeg that Earshot would use on this machine; fetched by the first test ever run. */
export const ffmpeg = program.path;

/** Paths of the speech model that Earshot would use. */
export const speechModel = {
  encoder: model.encoder,
  decoder: model.decoder,
  tokens: model.tokens,
  vad: model.vad,
};

function sample(name: string): string {
  const path = model.samples.find((each) => basename(each) === name);
  if (path === undefined) throw new Error(`the speech model came without its sample recording ${name}`);
  return path;
}

/** Real speech: two_cities 44 s at 48 kHz, beckett 10 s at 16 kHz, endgame (two voices) 28 s at 24 kHz. */
export const samples = {
  two_cities: sample('two_cities.wav'),
  beckett: sample('beckett.wav'),
  endgame: sample('endgame_nagg_nell.wav'),
};
