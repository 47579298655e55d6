import { writeWav } from '@earshot/audio';
import { DEFAULT_TENANT, type Lane } from '@earshot/contracts';
import { HTTP_SOURCE, transcriptId } from '@earshot/intake';
import { type SeededRandom, seededRandom } from '@earshot/testkit';
import { hashOf, spokenText } from '../../../transcription/test/fake-cloud/spoken-text.ts';

/** Length of every chunk but the last, so that many jobs need little sound. */
export const CHUNK_MS = 250;
/** The last chunk takes what is too short to be one of its own. */
const LAST_MS = 1_000;
const RATE = 16_000;
const PER_MS = RATE / 1_000;
/** As often as a quota gives them calls. */
const LANES: readonly Lane[] = ['high', 'high', 'normal', 'normal', 'normal', 'low'];
const EVENT_SOURCE = 'chaos';

/** A recording as it will be submitted. `sample` is a real recording for the local engine; its text is not known before. */
export interface PlannedRecording {
  readonly id: string;
  readonly key: string;
  /** Its sound follows from it; undefined for the real recording. */
  readonly seed: number | undefined;
  readonly engine: string;
  readonly lane: Lane;
  /** The door it comes through: the HTTP one, or an upload event with its sound in storage already. */
  readonly via: 'http' | 'event';
  readonly chunks: number;
  /** The chunk that nobody can transcribe. */
  readonly poison: number | undefined;
}

export interface PlanOptions {
  readonly seed: number;
  readonly jobs: number;
  readonly chunksEach: number;
  /** Engines of the vendor. */
  readonly engines: readonly string[];
  /** Recordings for the local engine. */
  readonly samples: number;
}

/** As many recordings as make `jobs` chunks, the same for the same seed. */
export function planRecordings(options: PlanOptions): PlannedRecording[] {
  const random = seededRandom(options.seed);
  const count = Math.ceil(options.jobs / options.chunksEach);
  const noise = Array.from({ length: count }, (_, n) => planNoise(options, n, random));
  const samples = Array.from({ length: options.samples }, (_, n) => {
    const key = `chaos-${options.seed}-sample-${n}`;
    return {
      ...common(key, 'http', random),
      seed: undefined,
      engine: 'sherpa',
      chunks: 1,
      poison: undefined,
    };
  });
  return random.shuffled([...noise, ...samples]);
}

function planNoise({ seed, engines, chunksEach }: PlanOptions, n: number, random: SeededRandom) {
  const key = `chaos-${seed}-${n}`;
  const via = random.below(4) === 0 ? 'event' : 'http';
  const poison = random.below(12) === 0 ? random.below(chunksEach - 1) : undefined;
  return {
    ...common(key, via, random),
    seed: seed * 100_003 + n,
    engine: random.pick(engines),
    chunks: chunksEach,
    poison,
  };
}

function common(key: string, via: PlannedRecording['via'], random: SeededRandom) {
  const id = transcriptId(DEFAULT_TENANT, via === 'http' ? HTTP_SOURCE : EVENT_SOURCE, key);
  return { id, key, via, lane: random.pick(LANES) };
}

/** The upload event of a recording whose sound lies under `uri`. */
export const eventOf = ({ key, lane, engine }: PlannedRecording, uri: string) => ({
  specversion: '1.0',
  id: key,
  source: EVENT_SOURCE,
  type: 'earshot.recording.uploaded.v1',
  time: new Date().toISOString(),
  data: { uri, engine, priority: lane },
});

function samplesOf(seed: number, chunks: number): Int16Array {
  const samples = new Int16Array(((chunks - 1) * CHUNK_MS + LAST_MS) * PER_MS);
  let state = (Math.imul(seed, 2_654_435_761) + 1) | 0;
  for (let n = 0; n < samples.length; n += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    samples[n] = state >> 20;
  }
  return samples;
}

const hashOfSamples = (samples: Int16Array, startMs: number, endMs: number) =>
  hashOf(new Uint8Array(samples.slice(startMs * PER_MS, endMs * PER_MS).buffer));

/** The recording as a WAV file. */
export function wavOf({ seed = 0, chunks }: PlannedRecording): Buffer {
  return writeWav(samplesOf(seed, chunks), 1, RATE);
}

/** The hash of the sound that nobody can transcribe. */
export function poisonOf({ seed = 0, chunks, poison }: PlannedRecording): string | undefined {
  if (poison === undefined) return undefined;
  return hashOfSamples(samplesOf(seed, chunks), poison * CHUNK_MS, (poison + 1) * CHUNK_MS);
}

/** What any engine of the vendor hears in a slice of the recording. */
export function textsOf({ seed = 0, chunks }: PlannedRecording): (startMs: number, endMs: number) => string {
  const samples = samplesOf(seed, chunks);
  return (startMs, endMs) => {
    const audio = hashOfSamples(samples, startMs, endMs);
    return spokenText([{ channel: 0, audio }], 'en')[0]?.text ?? '';
  };
}
