import { SAMPLE_RATE } from './decode.ts';

/** A stretch of speech; integer milliseconds from the first sample, end exclusive. */
export interface Span {
  readonly start_ms: number;
  readonly end_ms: number;
}

/** Finds speech. One recording (or channel) at a time: it keeps state while it listens. */
export interface VoiceActivity {
  /** Speech in 16 kHz samples, in order, without overlap. NaN and infinite samples count as silence. */
  speechSpans(samples: Int16Array | Float32Array): Span[];
}

/** Samples that Silero judges at a time. */
const WINDOW = 512;

/** Loads the Silero v5 model at path `model`. Runs native code: use it in a child process. */
export async function createVoiceActivity(options: { model: string }): Promise<VoiceActivity> {
  // @ts-expect-error the package carries no types
  const { default: sherpa }: { default: Sherpa } = await import('sherpa-onnx-node');
  const sileroVad = {
    model: options.model,
    threshold: 0.5,
    minSpeechDuration: 0.1,
    minSilenceDuration: 0.25,
    // No hard limit in Silero, and it costs words: long speech is cut by `planWindows`.
    maxSpeechDuration: 100_000,
    windowSize: WINDOW,
  };
  const vad = new sherpa.Vad({ sileroVad, sampleRate: SAMPLE_RATE, numThreads: 1, debug: false }, 120);
  return { speechSpans: (samples) => listen(vad, toFloat(samples)) };
}

/** The part of sherpa-onnx-node used here. */
interface Sherpa {
  readonly Vad: new (config: object, bufferSeconds: number) => Vad;
}

interface Vad {
  acceptWaveform(samples: Float32Array): void;
  isEmpty(): boolean;
  /** The flag asks for memory shared with native code. */
  front(external: boolean): { start: number; samples: Float32Array };
  pop(): void;
  flush(): void;
  reset(): void;
}

function listen(vad: Vad, samples: Float32Array): Span[] {
  vad.reset();
  const spans: Span[] = [];
  const take = () => {
    for (; !vad.isEmpty(); vad.pop()) {
      const { start, samples: speech } = vad.front(false);
      spans.push(toSpan(start, Math.min(start + speech.length, samples.length)));
    }
  };
  for (let at = 0; at < samples.length; at += WINDOW) {
    vad.acceptWaveform(padded(samples.subarray(at, at + WINDOW)));
    take();
  }
  vad.flush();
  take();
  return spans.filter(({ start_ms, end_ms }) => start_ms < end_ms);
}

/** Silero ignores an incomplete window. */
function padded(window: Float32Array): Float32Array {
  if (window.length === WINDOW) return window;
  const full = new Float32Array(WINDOW);
  full.set(window);
  return full;
}

function toSpan(start: number, end: number): Span {
  return { start_ms: Math.max(0, Math.floor(start / 16)), end_ms: Math.floor(end / 16) };
}

/** Samples as numbers between -1 and 1; what is not a finite number becomes 0. */
export function toFloat(samples: Int16Array | Float32Array): Float32Array {
  if (samples instanceof Int16Array) return Float32Array.from(samples, (value) => value / 32_768);
  return Float32Array.from(samples, (value) => (Number.isFinite(value) ? value : 0));
}
