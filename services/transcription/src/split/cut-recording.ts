import {
  type Chunk,
  Chunker,
  createPeaks,
  decodeRecording,
  type Peaks,
  type Probe,
  probeRecording,
} from '@earshot/audio';
import type { SplitJob } from '@earshot/contracts';
import type { ChunkLengths } from './chunk-lengths.ts';
import { adoptDecided, type CutLedger, type OnCut, type ProposedChunk } from './cut-ledger.ts';
import { keepChannels } from './keep-channels.ts';
import { tryWhole } from './whole-recording.ts';

/** What the end of a recording tells. */
export interface CutRecording {
  readonly duration_ms: number;
  readonly channels: number;
  readonly peaks: Peaks;
  /** Set when the recording ended early. */
  readonly truncated?: { readonly code: string; readonly detail: string };
}

/** What cutting needs. */
export interface CutOptions {
  readonly ffmpeg: string;
  readonly path: string;
  readonly mode: SplitJob['channels'];
  readonly lengths: ChunkLengths;
  readonly maxDurationMs: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly ledger: CutLedger;
  readonly onCut: OnCut;
  /** Set when one call of the engine may take the whole recording, as it is, at this key; up to so many milliseconds. */
  readonly whole: { readonly key: string; readonly limitMs: number } | undefined;
  /** Containers and codings, as `wav/pcm_s16le`, in which the engine reads a recording as it is. */
  readonly readable: readonly string[];
  /** Chunks hold only the channels that are worth transcribing, because the engine gets them as they are. */
  readonly keepChannels: boolean;
}

/**
 * Decodes a recording as a stream. It becomes one cut when the engine can have it as it is, and is cut at its pauses
 * otherwise; memory holds one chunk, however long the recording is.
 */
export async function cutRecording(options: CutOptions): Promise<CutRecording> {
  const { ffmpeg, path, signal } = options;
  const recording = await probeRecording({ ffmpeg, path, signal });
  return (await leaveWhole(options, recording)) ?? cutAtPauses(options, recording);
}

/** Undefined when the recording cannot stay whole, or somebody else began to cut it meanwhile. */
async function leaveWhole(options: CutOptions, recording: Probe): Promise<CutRecording | undefined> {
  const { ledger, whole, onCut } = options;
  if (!whole || ledger.cuts.length > 0) return undefined;
  const found = await tryWhole(options, recording, whole.limitMs);
  if (!found) return undefined;
  const { duration_ms, channels, tracks, peaks } = found;
  const wanted = { end_ms: duration_ms, key: whole.key, channels, tracks: [...tracks] };
  const { cut, ours } = await ledger.decideWhole(wanted);
  await onCut(0, cut, ours);
  return ours || cut.key === whole.key ? { duration_ms, channels, peaks } : undefined;
}

async function cutAtPauses(options: CutOptions, recording: Probe): Promise<CutRecording> {
  const { ffmpeg, path, signal, ledger, timeoutMs } = options;
  const channels = options.mode === 'mixed' ? 'mix' : 'separate';
  const limits = { maxDurationMs: options.maxDurationMs, timeoutMs };
  const decoding = decodeRecording({ ffmpeg, path, recording, channels, signal, limits });
  const chunker = new Chunker({ channels: decoding.channels, ...options.lengths });
  const peaks = createPeaks({ channels: decoding.channels });
  for (const cut of ledger.cuts) chunker.adopt(cut.end_ms);
  for await (const block of decoding) {
    peaks.push(block);
    chunker.push(block);
    await decideCuts(chunker, decoding.channels, options);
  }
  chunker.end();
  await decideCuts(chunker, decoding.channels, options);
  return { ...decoding.outcome(), channels: decoding.channels, peaks };
}

async function decideCuts(chunker: Chunker, channels: number, options: CutOptions): Promise<void> {
  const { ledger, signal, onCut } = options;
  for (let chunk = chunker.next(); chunk; chunk = chunker.next()) {
    signal.throwIfAborted();
    const { cut, ours } = await ledger.decide(proposed(chunk, channels, options));
    chunker.adopt(cut.end_ms);
    await onCut(ledger.cuts.length - 1, cut, ours);
    // Somebody else is ahead: take all that is decided before cutting on.
    if (!ours) {
      await adoptDecided(ledger, async (n, theirs) => {
        chunker.adopt(theirs.end_ms);
        await onCut(n, theirs, false);
      });
    }
  }
}

function proposed(
  { start_ms, end_ms, pcm }: Chunk,
  channels: number,
  { mode, keepChannels: keep }: CutOptions,
): ProposedChunk {
  if (!keep) return { start_ms, end_ms, pcm, channels };
  const kept = keepChannels(pcm, channels, mode === 'separate' ? 'separate' : 'auto');
  return { start_ms, end_ms, ...kept, channels: kept.tracks.length };
}
