/**
 * The same model without Earshot: one ffmpeg call, Silero and Moonshine by their own API, and the windows that measured
 * best. It shares no code with the engine on purpose; the benchmark compares the two.
 */
import { execFileSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { ffmpeg, speechModel } from '../../libs/audio/test/parts.ts';
import { knownRecordings } from './recordings.ts';

// @ts-expect-error the package carries no types
const { default: sherpa } = await import('sherpa-onnx-node');

const RATE = 16_000;
const LONGEST = 8.1 * RATE;
const PAD = 0.2 * RATE;
const TENTH = 0.1 * RATE;

type Piece = readonly [start: number, end: number];

const recognizer = new sherpa.OfflineRecognizer({
  featConfig: { sampleRate: RATE, featureDim: 80 },
  modelConfig: {
    moonshine: { encoder: speechModel.encoder, mergedDecoder: speechModel.decoder },
    tokens: speechModel.tokens,
    numThreads: 1,
  },
});

/** The whole text of a recording. */
export function transcribeBare(path: string): string {
  const args = ['-v', 'error', '-i', path, '-ac', '1', '-ar', `${RATE}`, '-f', 's16le', '-'];
  const bytes = execFileSync(ffmpeg, args, { maxBuffer: 2 ** 31 });
  const samples = Float32Array.from(
    { length: bytes.length / 2 },
    (_, n) => bytes.readInt16LE(2 * n) / 32_768,
  );
  const groups = group(findSpeech(samples).flatMap((piece) => split(samples, piece)));
  return groups
    .map(([start, end], n) => {
      const before = groups[n - 1]?.[1] ?? 0;
      const after = groups[n + 1]?.[0] ?? samples.length;
      return recognize(samples.subarray(Math.max(start - PAD, before), Math.min(end + PAD, after)));
    })
    .join(' ');
}

function recognize(samples: Float32Array): string {
  const stream = recognizer.createStream();
  stream.acceptWaveform({ samples, sampleRate: RATE });
  recognizer.decode(stream);
  return recognizer.getResult(stream).text;
}

function findSpeech(samples: Float32Array): Piece[] {
  const sileroVad = {
    model: speechModel.vad,
    threshold: 0.5,
    minSpeechDuration: 0.1,
    minSilenceDuration: 0.25,
    maxSpeechDuration: 100_000,
    windowSize: 512,
  };
  const vad = new sherpa.Vad({ sileroVad, sampleRate: RATE, numThreads: 1 }, samples.length / RATE + 10);
  for (let at = 0; at < samples.length; at += 512) vad.acceptWaveform(samples.subarray(at, at + 512));
  vad.flush();
  const pieces: Piece[] = [];
  for (; !vad.isEmpty(); vad.pop()) {
    const { start, samples: speech } = vad.front(false);
    pieces.push([start, start + speech.length]);
  }
  return pieces;
}

function split(samples: Float32Array, [start, end]: Piece): Piece[] {
  if (end - start <= LONGEST) return [[start, end]];
  let best = { cut: start + LONGEST, energy: Number.POSITIVE_INFINITY };
  for (let at = start + 0.55 * LONGEST; at + TENTH <= start + LONGEST; at += 160) {
    const energy = samples.subarray(at, at + TENTH).reduce((sum, sample) => sum + sample * sample, 0);
    if (energy < best.energy) best = { cut: Math.round(at + TENTH / 2), energy };
  }
  return [[start, best.cut], ...split(samples, [best.cut, end])];
}

function group(pieces: readonly Piece[]): Piece[] {
  const groups: Piece[] = [];
  for (const [start, end] of pieces) {
    const last = groups.at(-1);
    if (last !== undefined && end - last[0] <= LONGEST) groups[groups.length - 1] = [last[0], end];
    else groups.push([start, end]);
  }
  return groups;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const { name, path } of await knownRecordings()) console.log(`${name}: ${transcribeBare(path)}`);
}
