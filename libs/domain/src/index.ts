export {
  type AssembledTranscript,
  assembleTranscript,
  type ChunkGap,
  type ChunkResult,
  composeTranscript,
  type Gap,
  type PlanSplit,
  type TranscriptContent,
  type TranscriptCoverage,
} from './assemble-transcript.ts';
export { CodedError, toCodedError } from './coded-error.ts';
export { type ErrorClass, type ErrorCode, errorTable, isErrorCode } from './error-codes.ts';
export type { Segment, Word, WordTiming } from './segment.ts';
export { SNIFF_BYTES, sniffRecording } from './sniff-recording.ts';
export { type Cue, toCues } from './subtitle-cues.ts';
export { toSrt, toText, toVtt } from './subtitles.ts';
export { toUtterances, type Utterance } from './utterances.ts';
