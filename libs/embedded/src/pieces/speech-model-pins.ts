import type { NpmPin } from '../fetch/npm-pack.ts';
import type { Extract } from '../fetch/wheel.ts';

const asset = (name: string, sha256: string, folder = ''): Extract => ({
  entry: `moonshine_voice/assets/${folder}${name}`,
  name,
  sha256,
});

/** Later versions no longer carry the model. Only its data files are used, so one wheel serves every platform. */
export const MODEL_WHEEL = {
  project: 'moonshine-voice',
  version: '0.0.73',
  tag: 'manylinux_2_34_x86_64',
  sha256: '6461c8097ed78d054c46b4c821143008a07b5fa1f4169674493ccfa06c1407db',
  bytes: 56_320_672,
};

/** What is taken out of the model's wheel: the network, its tokens, and three recordings to try it with. */
export const MODEL_FILES: readonly Extract[] = [
  asset('encoder_model.ort', '94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221', 'tiny-en/'),
  asset(
    'decoder_model_merged.ort',
    'cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0',
    'tiny-en/',
  ),
  asset('tokenizer.bin', '6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d', 'tiny-en/'),
  asset('two_cities.wav', 'f3348494d77cb74a02862f5e685ed09faf3e75832c5cc5c80703282c2cd8b52e'),
  asset('beckett.wav', 'e5a26b3d29e5b0bc8dbd72c11d16a3808a4ec0ac45b21f12a27d2a2fe5c5ae61'),
  asset('endgame_nagg_nell.wav', '78f44dc6d3da32ecab0c37f391700f0569f4612b8e0be2ecbaf33e1d3d566474'),
];

/** The sample recordings among {@link MODEL_FILES}. */
export const SAMPLES = ['two_cities.wav', 'beckett.wav', 'endgame_nagg_nell.wav'];

/** Made from tokenizer.bin by us; pinned so that the cache check covers it. */
export const TOKENS = {
  name: 'tokens.txt',
  sha256: '8e62ce303ecf4532cd96477e3619f08b3cc2f06ec4d6f735c4cd2606bdebd7d4',
};

/** Packed as data only: as a dependency it would bring a browser runtime along. */
export const VAD_PACKAGE: NpmPin & { readonly bytes: number } = {
  name: '@ricky0123/vad-web',
  version: '0.0.31',
  file: 'ricky0123-vad-web-0.0.31.tgz',
  integrity:
    'sha512-ePVq8TvB21sdHSxVMZOEIf9JVa7MAYpaIaNXeGgsPOiMCN8xbPCdF2LS5aYj7VRR3ZxzutedgV9ZplV65IA1Fg==',
  bytes: 5_471_324,
};

/** The voice-activity network inside {@link VAD_PACKAGE}. */
export const VAD: Extract = {
  entry: 'package/dist/silero_vad_v5.onnx',
  name: 'silero_vad_v5.onnx',
  sha256: '2623a2953f6ff3d2c1e61740c6cdb7168133479b267dfef114a4a3cc5bdd788f',
};
