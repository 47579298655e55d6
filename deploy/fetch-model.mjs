// Puts the speech model and the voice-activity model into the folder given, under the names that EARSHOT_MODEL_DIR
// expects. Run after the build: it reads the packages' dist folders.
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { embeddedOptionsFromEnv, resolveSpeechModel } from '@earshot/embedded';

const folder = process.argv[2];
if (!folder) {
  process.stderr.write('usage: node deploy/fetch-model.mjs <folder>\n');
  process.exit(2);
}
const model = await resolveSpeechModel(embeddedOptionsFromEnv(process.env));
const files = {
  'encoder_model.ort': model.encoder,
  'decoder_model_merged.ort': model.decoder,
  'tokens.txt': model.tokens,
  'silero_vad_v5.onnx': model.vad,
};
await mkdir(folder, { recursive: true });
for (const [name, source] of Object.entries(files)) await copyFile(source, join(folder, name));
process.stdout.write(`${model.name} is in ${folder}\n`);
