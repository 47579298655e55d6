import { createPeaks, decodeRecording, type Peaks, type Probe } from '@earshot/audio';
import { toCodedError } from '@earshot/domain';
import type { EngineCapabilities } from '@earshot/engine';
import { ChannelWatch } from './channel-watch.ts';
import type { CutOptions } from './cut-recording.ts';

/** A recording that one call of the engine can take as it is. */
export interface WholeRecording {
  readonly duration_ms: number;
  readonly channels: number;
  readonly peaks: Peaks;
  /** The channels that the engine is to transcribe: the first alone, or all. */
  readonly tracks: readonly number[];
}

/** An engine's own count may differ by a frame or two. */
const MARGIN_MS = 1_000;

/**
 * Longest recording that an engine takes whole, where it may lie, in milliseconds; undefined when it takes none. `longest`
 * is what it takes in one call.
 */
export function wholeLimit(engine: EngineCapabilities | undefined, longest?: number): number | undefined {
  if (engine?.input !== 'reference' || !engine.wholeRecording) return undefined;
  return (longest ?? engine.maxChunkMs) - MARGIN_MS;
}

/**
 * Decodes a recording to its end, and says whether the engine can have it as it is: undefined when it is too long, damaged,
 * in a format the engine does not read, or when some but not all of its channels are wanted, or a mix.
 */
export async function tryWhole(
  options: CutOptions,
  recording: Probe,
  limitMs: number,
): Promise<WholeRecording | undefined> {
  const { ffmpeg, path, signal, mode } = options;
  const several = recording.channels > 1;
  if (!isPlain(recording, options.readable) || (recording.duration_ms ?? 0) > limitMs) return undefined;
  if (several && mode === 'mixed') return undefined;
  const limits = { maxDurationMs: Math.min(limitMs, options.maxDurationMs), timeoutMs: options.timeoutMs };
  const decoding = decodeRecording({ ffmpeg, path, recording, channels: 'separate', signal, limits });
  const { channels } = decoding;
  const peaks = createPeaks({ channels });
  const watch = new ChannelWatch(channels);
  try {
    for await (const block of decoding) {
      peaks.push(block);
      watch.push(block);
    }
  } catch (error) {
    if (toCodedError(error).code === 'too_long') return undefined;
    throw error;
  }
  const { duration_ms, truncated } = decoding.outcome();
  const tracks = watch.tracks(mode === 'separate' ? 'separate' : 'auto');
  if (truncated || tracks === 'room' || !isFirstOrAll(tracks, channels)) return undefined;
  return { duration_ms, channels, peaks, tracks };
}

/** What any reader hears the same in: one track, an honest header, a coding the engine knows. */
function isPlain({ format, codec, tracks, has_video, ignore_length }: Probe, readable: readonly string[]) {
  return (
    tracks === 1 &&
    !has_video &&
    !ignore_length &&
    format.split(',').some((f) => readable.includes(`${f}/${codec}`))
  );
}

const isFirstOrAll = (tracks: readonly number[], channels: number) =>
  tracks.length === channels || (tracks.length === 1 && tracks[0] === 0);
