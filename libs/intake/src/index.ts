export {
  type AcceptDeps,
  type AcceptResult,
  acceptedData,
  acceptedFact,
  acceptUpload,
  decideManifest,
  firstSplitJob,
  type ManifestDeps,
  recoverRecording,
  type Upload,
} from './accept-upload.ts';
export { type DoorDeps, HTTP_SOURCE, type Stored } from './commit-recording.ts';
export { readManifest, writeTombstone } from './manifest.ts';
export { type RawUpload, type ReadUpload, readUpload, traceparentOf } from './read-upload.ts';
export type { Sniff } from './store-bytes.ts';
export { type RecordingUpload, storeRecording } from './store-recording.ts';
export { type RecordingSubmission, submitRecording } from './submit-recording.ts';
export { transcriptId, unreadableId } from './transcript-id.ts';
