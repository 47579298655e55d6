import { Chunker, createPeaks, decodeRecording, type Peaks, probeRecording } from '@earshot/audio';
import type { SplitJob } from '@earshot/contracts';
import type { ChunkLengths } from './chunk-lengths.ts';
import { adoptDecided, type CutLedger, type OnCut } from './cut-ledger.ts';

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
}

/** Decodes a recording as a stream and cuts it at its pauses; memory holds one chunk, however long the recording is. */
export async function cutRecording(options: CutOptions): Promise<CutRecording> {
  const { ffmpeg, path, signal, ledger, timeoutMs } = options;
  const recording = await probeRecording({ ffmpeg, path, signal });
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
    const { cut, ours } = await ledger.decide(chunk, channels);
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
