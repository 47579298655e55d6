export { type Accepted, AcceptedSchema, accepted, type Warning, WarningSchema } from './accepted/message.ts';
export { asyncApi, uploadEventSchema } from './asyncapi.ts';
export { type Chunk, ChunkSchema, chunkFact, SegmentSchema, WordSchema } from './chunk-fact/message.ts';
export { type ChunkJob, ChunkJobSchema, chunkJob } from './chunk-job/message.ts';
export { type CloudEvent, EnvelopeSchema, envelopeOf, type OutgoingMessage } from './envelope.ts';
export { errorPage } from './error-page.ts';
export { type Final, FinalSchema, finalFacts } from './final-fact/message.ts';
export { type Evidence, type GaveUp, GaveUpSchema, gaveUp } from './gave-up/message.ts';
export { type GoogleCredentials, parseGoogleCredentials } from './google/credentials.ts';
export {
  type GoogleConfig,
  googleProblems,
  googleSettings,
  type StorageConfig,
  storageSettings,
} from './google/settings.ts';
export { apiTags } from './http/api-tags.ts';
export {
  type DeadLetter,
  type DeadLetterPage,
  DeadLetterPageSchema,
  DeadLetterSchema,
  type DeadLetterSelection,
  DeadLetterSelectionSchema,
  DeadLetterStageSchema,
  type DeadLetterState,
  DeadLetterStateSchema,
  type DeadLetterSummary,
  DeadLetterSummarySchema,
  type DeadLettersChanged,
  DeadLettersChangedSchema,
} from './http/dead-letter.ts';
export {
  type EngineCap,
  EngineCapSchema,
  type EngineChange,
  EngineChangeSchema,
  type LaneChange,
  LaneChangeSchema,
  type LaneState,
  LaneStateSchema,
  type Lanes,
  LanesSchema,
} from './http/lane.ts';
export { httpErrors, type Problem, ProblemSchema, toProblem } from './http/problem.ts';
export {
  type Clearance,
  type Queue,
  type QueueFigures,
  QueueSchema,
  type ScalingAdvice,
} from './http/queue.ts';
export { type Rebuilt, RebuiltSchema } from './http/rebuild.ts';
export {
  type SubmitRecording,
  SubmitRecordingSchema,
  type Submitted,
  SubmittedSchema,
} from './http/recording.ts';
export { type Recovered, RecoveredSchema } from './http/recover.ts';
export {
  type Coverage,
  CoverageSchema,
  type Transcript,
  type TranscriptPage,
  TranscriptPageSchema,
  TranscriptSchema,
  type TranscriptStatus,
  TranscriptStatusSchema,
  type TranscriptSummary,
  TranscriptSummarySchema,
  transcriptLinks,
  type Utterance,
} from './http/transcript.ts';
export {
  type UsageCheck,
  UsageCheckSchema,
  type UsageDifference,
  UsageDifferenceSchema,
  type UsageGroup,
  UsageGroupSchema,
  type UsagePage,
  UsagePageSchema,
  type UsageSum,
  UsageSumSchema,
} from './http/usage.ts';
export { type PoolsRestarted, PoolsRestartedSchema, type Workers, WorkersSchema } from './http/worker.ts';
export {
  type Manifest,
  ManifestSchema,
  parseManifest,
  type Tombstone,
  TombstoneSchema,
} from './manifest/document.ts';
export { defineMessage, type MessageContext, type MessageKind } from './message.ts';
export { JOB_OUTCOMES, METRICS, type MetricSpec } from './metrics.ts';
export {
  type ChannelMode,
  ChannelModeSchema,
  DEFAULT_TENANT,
  isName,
  LANES,
  type Lane,
  LaneSchema,
  NAME_PATTERN,
  NameSchema,
  TranscriptIdSchema,
} from './names.ts';
export {
  type PaidAnswer,
  type PaidDocuments,
  type PaidDone,
  type PaidIntent,
  parsePaidDocument,
} from './paid-call/document.ts';
export {
  MAX_METADATA_BYTES,
  RECORDING_UPLOADED,
  type RecordingOptions,
  RecordingOptionsSchema,
  type RecordingUploaded,
  RecordingUploadedSchema,
  type SessionUpload,
  SessionUploadSchema,
  TRANSCRIPT_NAMESPACE,
} from './recording-uploaded/message.ts';
export {
  envelopeFindings,
  isSessionUpload,
  RECORDING_OPTION_NAMES,
  readRecordingOptions,
  readRecordingUploaded,
} from './recording-uploaded/read.ts';
export {
  type BrokerSettings,
  brokerSettings,
  parseEngines,
  processSettings,
  type ScalingConfig,
  scalingSettings,
  type TopologyConfig,
  topologySettings,
  topologySettingsFrom,
} from './setting-groups.ts';
export { parseMaxAckPending, settingHints, settingRules, settings } from './settings.ts';
export {
  type InstallationPlan,
  planInstallation,
  type Range,
  rangeText,
} from './sizing/plan-installation.ts';
export { SIZES, type Size, type SizeName } from './sizing/sizes.ts';
export {
  type Budget,
  type BudgetConfig,
  budgetProblems,
  budgetSettings,
  budgetsFrom,
  parseBudget,
} from './spend/budget.ts';
export {
  ALL_TENANTS,
  parseReservation,
  parseSpend,
  reservationOf,
  type Spend,
  SpendSchema,
  spentMs,
} from './spend/document.ts';
export { type Cut, CutSchema, type Split, SplitSchema, splitFact } from './split-fact/message.ts';
export { type SplitJob, SplitJobSchema, splitJob } from './split-job/message.ts';
export { subjectTemplate } from './subject-template.ts';
export {
  chunkJobSubject,
  dueSubject,
  type FinalStatus,
  factSubjects,
  jobFilters,
  laterSubject,
  parseFactSubject,
  type Stage,
  spendSubject,
  splitJobSubject,
  uploadSubject,
  workerStateSubject,
  workerSubjects,
} from './subjects.ts';
export {
  type ConsumerSpec,
  DURABLES,
  type JobLane,
  jobLanes,
  STREAMS,
  type StreamSpec,
  shareCap,
  type Topology,
  type TopologySettings,
  topology,
  WORKER_STATE_TTL_MS,
} from './topology.ts';
export {
  type Circuit,
  parseWorkerState,
  WorkerIdSchema,
  type WorkerState,
  WorkerStateSchema,
} from './worker-state/document.ts';
