export { CodedError, toCodedError } from './coded-error.ts';
export { type ErrorClass, type ErrorCode, errorTable, isErrorCode } from './error-codes.ts';
export type { Segment, Word, WordTiming } from './segment.ts';
export { SNIFF_BYTES, sniffRecording } from './sniff-recording.ts';
