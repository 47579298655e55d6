import { CodedError } from '@earshot/domain';
import {
  type FfmpegChild,
  type FfmpegStderr,
  inputArguments,
  lastWords,
  startFfmpeg,
} from './ffmpeg-child.ts';
import { plainName } from './plain-name.ts';
import { MAX_CHANNELS, type Probe } from './probe.ts';
import { withinTime } from './within-time.ts';

/** Everything behind the decoder works at this rate; engines do not notice a wrong one, they invent words. */
export const SAMPLE_RATE = 16_000;

export interface DecodeLimits {
  /** Longest decoded duration in milliseconds; default 24 hours. */
  readonly maxDurationMs?: number | undefined;
  /** Default 8. */
  readonly maxChannels?: number | undefined;
  /** Milliseconds to wait for ffmpeg in all, the consumer's own time not counted; default 1 hour. */
  readonly timeoutMs?: number | undefined;
}

export interface DecodeOptions {
  readonly ffmpeg: string;
  readonly path: string;
  /** What `probeRecording` said of it. */
  readonly recording: Probe;
  /** One channel for all, or every channel of the recording. */
  readonly channels: 'mix' | 'separate';
  readonly signal?: AbortSignal | undefined;
  readonly limits?: DecodeLimits | undefined;
}

/** How a decode ended. */
export interface DecodeOutcome {
  readonly duration_ms: number;
  /** Set when the recording ended early: what came before it was delivered. */
  readonly truncated?: { readonly code: 'corrupt'; readonly detail: string };
}

/**
 * Interleaved 16 kHz signed 16 bit blocks of about 64 KB, as fast as they are taken; sample n is at n / 16 ms of the recording.
 * Iterate once. Throws `corrupt` or `empty_audio` before the first sample; `too_long`, `timeout`, `worker_crashed`
 * or the signal's reason at any time. ffmpeg is gone when the iteration ends, also when it is left early.
 */
export interface Decoding extends AsyncIterable<Int16Array> {
  /** Channels per frame. */
  readonly channels: number;
  /** Known after the last block. */
  outcome(): DecodeOutcome;
}

/** Prepares a streaming decode; ffmpeg starts with the first block asked for. Throws `too_long`, `too_many_channels`. */
export function decodeRecording(options: DecodeOptions): Decoding {
  const { recording, limits = {} } = options;
  if (recording.channels > (limits.maxChannels ?? MAX_CHANNELS)) throw new CodedError('too_many_channels');
  checkClaim(recording, limits);
  const channels = options.channels === 'mix' ? 1 : recording.channels;
  let outcome: DecodeOutcome | undefined;
  return {
    channels,
    outcome: () => {
      if (outcome === undefined) throw new Error('the outcome is known after the last block');
      return outcome;
    },
    async *[Symbol.asyncIterator]() {
      outcome = yield* decode(options, channels);
    },
  };
}

async function* decode(options: DecodeOptions, channels: number): AsyncGenerator<Int16Array, DecodeOutcome> {
  options.signal?.throwIfAborted();
  const { plain, release } = await plainName(options.path);
  const child = startFfmpeg(options.ffmpeg, decodeArguments(options, plain, channels), plain);
  try {
    const frames = yield* readFrames(child, options, channels);
    return await judge(child, options, frames);
  } finally {
    await child.stop();
    await release();
  }
}

function decodeArguments({ recording, channels }: DecodeOptions, path: string, count: number): string[] {
  const input = inputArguments(path, recording.ignore_length ? ['-ignore_length', '1'] : []);
  // Gaps between timestamps become silence, so that a sample's index stays its time.
  const filters = [...channelFilter(recording, channels), `aresample=${SAMPLE_RATE}:async=1:first_pts=0`];
  const select = ['-map', `0:${recording.stream}`, '-vn', '-sn', '-dn', '-map_metadata', '-1'];
  const output = ['-threads', '1', '-filter_threads', '1', '-ac', `${count}`, '-ar', `${SAMPLE_RATE}`];
  return ['-v', 'error', ...input, ...select, '-af', filters.join(','), ...output, '-f', 's16le', 'pipe:1'];
}

/** ffmpeg would mix channels whose places it guesses (and drop a guessed bass channel): number them instead. */
function channelFilter({ channels, placed }: Probe, mode: 'mix' | 'separate'): string[] {
  if (channels <= 2) return [];
  const all = Array.from({ length: channels }, (_, n) => `c${n}`);
  if (mode === 'separate') return [`pan=${channels}c|${all.map((name) => `${name}=${name}`).join('|')}`];
  return placed ? [] : [`pan=mono|c0=${all.map((name) => `${1 / channels}*${name}`).join('+')}`];
}

async function* readFrames(
  child: FfmpegChild,
  { signal, limits = {} }: DecodeOptions,
  channels: number,
): AsyncGenerator<Int16Array, number> {
  const maxFrames = ((limits.maxDurationMs ?? 86_400_000) * SAMPLE_RATE) / 1000;
  const source = child.stdout.iterator({ destroyOnReturn: false });
  const frame = 2 * channels;
  let patience = limits.timeoutMs ?? 3_600_000;
  let rest: Buffer = Buffer.alloc(0);
  let frames = 0;
  for (;;) {
    const asked = performance.now();
    const { done, value } = await withinTime(source.next(), patience, signal);
    patience = Math.max(1, patience - (performance.now() - asked));
    if (done) return frames;
    const bytes = rest.length === 0 ? (value as Buffer) : Buffer.concat([rest, value as Buffer]);
    const whole = bytes.length - (bytes.length % frame);
    rest = bytes.subarray(whole);
    frames += whole / frame;
    if (frames > maxFrames) throw tooLong(maxFrames / 16);
    if (whole > 0) yield toSamples(bytes.subarray(0, whole));
  }
}

/** The same memory where it can be: a copy of every block would make the garbage of a long recording. */
function toSamples(bytes: Buffer): Int16Array {
  if (bytes.byteOffset % 2 === 0) return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  const samples = new Int16Array(bytes.length / 2);
  Buffer.from(samples.buffer).set(bytes);
  return samples;
}

async function judge(child: FfmpegChild, options: DecodeOptions, frames: number): Promise<DecodeOutcome> {
  const { code, signal } = await withinTime(child.exit, 10_000, options.signal);
  if (signal !== null) throw new CodedError('worker_crashed', `ffmpeg was ended by ${signal}`);
  const stderr = child.stderr();
  if (frames === 0) {
    if (code === 0 && stderr.tail === '') throw new CodedError('empty_audio');
    throw new CodedError('corrupt', `No sound could be decoded: ${lastWords(stderr)}`);
  }
  const duration_ms = Math.ceil(frames / 16);
  const detail = whyTruncated(code, stderr, options.recording, duration_ms);
  return detail === undefined ? { duration_ms } : { duration_ms, truncated: { code: 'corrupt', detail } };
}

/** A lone audio track that is clearly shorter than its container's index says was cut off, too. */
function whyTruncated(
  code: number | null,
  stderr: FfmpegStderr,
  { duration_ms, has_video, tracks }: Probe,
  decoded: number,
): string | undefined {
  if (stderr.endedEarly) return `The recording ends in the middle, after ${decoded} ms`;
  if (code !== 0) return lastWords(stderr);
  if (duration_ms === null || has_video || tracks > 1) return undefined;
  if (duration_ms - decoded <= Math.max(1000, duration_ms / 50)) return undefined;
  return `The container claims ${duration_ms} ms, ${decoded} ms could be decoded`;
}

/** A claim of a compressed format is honest enough to spare the work; a wav header is not. */
function checkClaim({ duration_ms, format }: Probe, { maxDurationMs = 86_400_000 }: DecodeLimits): void {
  if (duration_ms !== null && duration_ms > maxDurationMs && format !== 'wav') throw tooLong(maxDurationMs);
}

function tooLong(maxMs: number): CodedError {
  return new CodedError('too_long', `The recording is longer than ${Math.round(maxMs / 1000)} s`);
}
