import { open } from 'node:fs/promises';
import { CodedError, sniffRecording } from '@earshot/domain';
import { type FfmpegStderr, inputArguments, lastWords, startFfmpeg } from './ffmpeg-child.ts';
import { type AudioTrack, type ProbeText, parseProbe } from './parse-probe.ts';
import { plainName } from './plain-name.ts';
import { dataSizeLies } from './wav-length.ts';
import { withinTime } from './within-time.ts';

/** Most channels a recording may have. */
export const MAX_CHANNELS = 8;

export interface ProbeOptions {
  /** Path of the ffmpeg program. */
  readonly ffmpeg: string;
  /** The recording; its name and extension decide nothing. */
  readonly path: string;
  readonly signal?: AbortSignal | undefined;
  /** Default 30000. */
  readonly timeoutMs?: number | undefined;
}

/** What a recording says about itself, and which of its tracks is decoded. */
export interface Probe {
  /** The container's claim, not to be trusted; null when it makes none. */
  readonly duration_ms: number | null;
  readonly channels: number;
  readonly sample_rate: number;
  readonly codec: string;
  readonly format: string;
  readonly has_video: boolean;
  /** Index of the chosen audio track in the container: the default one, else the one with most channels. */
  readonly stream: number;
  /** How many audio tracks there are. */
  readonly tracks: number;
  /** False when the container only numbers its channels. */
  readonly placed: boolean;
  /** True when the length in a wav header is too short and must be ignored. */
  readonly ignore_length: boolean;
}

/**
 * Describes a recording without decoding it. Throws `empty_file`, `not_audio`, `no_audio_stream`, `unsupported`,
 * `corrupt`, `too_many_channels`, `timeout`, or the signal's reason. The child is gone when it settles.
 */
export async function probeRecording(options: ProbeOptions): Promise<Probe> {
  options.signal?.throwIfAborted();
  const refusal = sniffRecording(await firstBytes(options.path));
  if (refusal !== undefined) throw refusal;
  const stderr = await describe(options);
  const text = parseProbe(stderr.head);
  if (text === undefined) throw notOpened(stderr);
  const track = chooseTrack(text.audio);
  checkTrack(track, text);
  const ignore_length = text.format === 'wav' && (await dataSizeLies(options.path));
  const { stream, codec, channels, sample_rate, placed } = track;
  const { format, has_video } = text;
  const duration_ms = ignore_length ? null : text.duration_ms;
  const tracks = text.audio.length;
  return {
    duration_ms,
    channels,
    sample_rate,
    codec,
    format,
    has_video,
    stream,
    tracks,
    placed,
    ignore_length,
  };
}

async function firstBytes(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r').catch((cause) => {
    throw new CodedError('missing_object', 'The recording could not be opened', { cause });
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(16_384), 0, 16_384, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function describe({ ffmpeg, path, signal, timeoutMs = 30_000 }: ProbeOptions): Promise<FfmpegStderr> {
  const { plain, release } = await plainName(path);
  const child = startFfmpeg(ffmpeg, inputArguments(plain), plain);
  try {
    child.stdout.resume();
    const exit = await withinTime(child.exit, timeoutMs, signal);
    if (exit.signal !== null) throw new CodedError('worker_crashed', `ffmpeg was ended by ${exit.signal}`);
    return child.stderr();
  } finally {
    await child.stop();
    await release();
  }
}

function notOpened(stderr: FfmpegStderr): CodedError {
  const said = stderr.head;
  if (/not on whitelist|Not detecting m3u8/.test(said)) {
    return new CodedError('unsupported', 'The container format is not on the list of supported ones');
  }
  const known = /\bmoov atom\b|\bdata' tag|header|EBML|Truncat/i.test(said);
  if (known) return new CodedError('corrupt', `The recording could not be opened: ${lastWords(stderr)}`);
  return new CodedError('not_audio', 'No known kind of recording was found in the bytes');
}

function chooseTrack(tracks: readonly AudioTrack[]): AudioTrack {
  const rank = ({ isDefault, channels }: AudioTrack) => (isDefault ? 1000 : 0) + channels;
  const best = [...tracks].sort((a, b) => rank(b) - rank(a) || a.stream - b.stream)[0];
  if (best === undefined) throw new CodedError('no_audio_stream');
  return best;
}

function checkTrack({ codec, channels }: AudioTrack, { format }: ProbeText): void {
  if (codec === 'none' || codec === 'unknown') {
    throw new CodedError('unsupported', `The sound inside the ${format} container has an unknown coding`);
  }
  if (channels === 0)
    throw new CodedError('corrupt', 'The audio track does not say how many channels it has');
  if (channels > MAX_CHANNELS) {
    throw new CodedError('too_many_channels', `${channels} channels; at most ${MAX_CHANNELS} are supported`);
  }
}
