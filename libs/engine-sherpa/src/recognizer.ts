import { toFloat } from '@earshot/audio';
import { recognizerConfig, type SherpaModel } from './sherpa-model.ts';

/** Turns one window of 16 kHz samples into text; '' when the model found none. Synchronous: it blocks for about 1/30 of the window. */
export type Recognize = (samples: Int16Array) => string;

/** Moonshine answers '' to less than this, and so do we without asking it. */
const SHORTEST = 0.1 * 16_000;

/** Loads the model (about a second, native memory). */
export async function loadRecognizer(model: SherpaModel): Promise<Recognize> {
  // @ts-expect-error the package carries no types
  const { default: sherpa }: { default: Sherpa } = await import('sherpa-onnx-node');
  const recognizer = new sherpa.OfflineRecognizer(recognizerConfig(model));
  return (samples) => {
    if (samples.length <= SHORTEST) return '';
    const stream = recognizer.createStream();
    stream.acceptWaveform({ samples: toFloat(samples), sampleRate: 16_000 });
    recognizer.decode(stream);
    return recognizer.getResult(stream).text.trim();
  };
}

/** The part of sherpa-onnx-node used here. */
interface Sherpa {
  readonly OfflineRecognizer: new (
    config: object,
  ) => {
    createStream(): OfflineStream;
    decode(stream: OfflineStream): void;
    getResult(stream: OfflineStream): { text: string };
  };
}

interface OfflineStream {
  acceptWaveform(wave: { samples: Float32Array; sampleRate: number }): void;
}
