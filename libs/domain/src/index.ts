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
export type { Segment, Spoken, Word, WordTiming } from './segment.ts';
export { SNIFF_BYTES, sniffRecording } from './sniff-recording.ts';
export { type Cue, CueSheet } from './subtitle-cues.ts';
export { toSrt, toText, toVtt } from './subtitles.ts';
export { hasSeveralVoices, inOrder, toUtterances, type Utterance } from './utterances.ts';
