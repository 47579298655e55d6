import type { Readable } from 'node:stream';
import type { Segment, WordTiming } from '@earshot/domain';
import type { PaidCallLedger } from './paid-call.ts';

/** What an engine can do, and what a call costs. Read before work is given to it. */
export interface EngineCapabilities {
  /** BCP 47 primary tags the configured model understands, or `any`. */
  readonly languages: readonly string[] | 'any';
  readonly wordTimes: WordTiming;
  readonly diarization: boolean;
  /** True when a whole recording can be given in one call. */
  readonly wholeRecording: boolean;
  /** `samples`: decoded sound in memory. `reference`: a stored recording or chunk, which the vendor reads by itself. */
  readonly input: 'samples' | 'reference';
  /** Containers and codings that an engine with the input `reference` reads, as ffmpeg names them: `wav/pcm_s16le`. */
  readonly readable?: readonly string[] | undefined;
  /** Longest chunk it takes, in milliseconds. */
  readonly maxChunkMs: number;
  /** `child`: native code, runs in a supervised child process. `parent`: a remote call. */
  readonly runs: 'child' | 'parent';
  /** Paid calls go through the ledger: `lookup` ones can be found again at the vendor, `blind` ones cannot. */
  readonly billing: 'free' | 'lookup' | 'blind';
}

/** One channel's samples: 16 kHz, signed 16 bit. */
export interface ChannelAudio {
  readonly channel: number;
  readonly samples: Int16Array;
}

/** The audio of one chunk. Times in results are milliseconds from the start of this audio. */
export interface EngineInput {
  readonly channels: readonly ChannelAudio[];
  readonly duration_ms: number;
  /** Set for engines with the input `reference`; `channels` is empty then. */
  readonly stored?: StoredAudio | undefined;
}

/** Sound as it lies in storage. */
export interface StoredAudio {
  /** Where the vendor can read it by itself, e.g. `gs://bucket/object`; undefined: the engine must bring it there. */
  readonly uri?: string | undefined;
  /** Audio tracks in the object. */
  readonly tracks: number;
  /** Numbers for the segments of the tracks that are to be transcribed: the first track alone, or all, in order. */
  readonly channels: readonly number[];
  /** Its bytes; the caller consumes or destroys the stream. */
  open(): Promise<Readable>;
}

/** What the user asked for. An engine refuses a language it does not know with the code `unsupported_language`. */
export interface EngineOptions {
  readonly language?: string | undefined;
  readonly vocabulary?: readonly string[] | undefined;
  /** Whether speakers are to be told apart. */
  readonly diarization?: boolean | undefined;
  readonly lane?: 'high' | 'normal' | 'low' | undefined;
}

/** Speech found in one window and whether the engine turned it into text; coverage is the sum of these. */
export interface Heard {
  readonly channel: number;
  /** Milliseconds of voice activity. */
  readonly speech_ms: number;
  /** Milliseconds of that speech for which text came out. */
  readonly transcribed_ms: number;
}

/** A part of a call whose time is worth knowing. */
export type EngineStep = 'voice activity' | 'recognition';

/** What surrounds one call. */
export interface EngineContext {
  /** Aborting it ends the call within a second; a paid call that is under way is written down first. */
  readonly signal: AbortSignal;
  /** Makes the paid call of this chunk, once; a free engine has no use for it. */
  readonly ledger: PaidCallLedger;
  /** Called whenever the engine made progress. */
  readonly heartbeat: () => void;
  /** Called once per channel with what voice activity found. */
  readonly heard: (heard: Heard) => void;
  /** Called after a step, or a piece of one, with the milliseconds it took. */
  readonly timed?: (step: EngineStep, ms: number) => void;
}

/** A named implementation of speech-to-text. Errors thrown carry a `code` of the domain's table. */
export interface SpeechEngine {
  readonly name: string;
  /** The weights it runs, e.g. `moonshine-tiny-en`. */
  readonly model: string;
  readonly capabilities: EngineCapabilities;
  /** Yields segments in time order per channel. Silence yields none. */
  transcribe(input: EngineInput, options: EngineOptions, context: EngineContext): AsyncIterable<Segment>;
  /** Frees models and connections. Idempotent. */
  close(): Promise<void>;
}
