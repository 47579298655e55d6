export { type DoctorOptions, type DoctorRow, doctor } from './doctor/doctor.ts';
export { doctorText } from './doctor/doctor-text.ts';
export { EmbeddedError, type EmbeddedErrorCode, ServiceRunningError } from './errors.ts';
export { type EmbeddedOptions, type Environment, embeddedOptionsFromEnv } from './options.ts';
export type { ResolvedBinary, Source } from './pieces/binary.ts';
export { resolveFfmpeg } from './pieces/ffmpeg.ts';
export { linkSpeechModel } from './pieces/link-speech-model.ts';
export { resolveNatsServer } from './pieces/nats-server.ts';
export { type ResolvedSpeechModel, resolveSpeechModel } from './pieces/speech-model.ts';
export { type ResolvedPostgres, resolvePostgres } from './postgres/resolve.ts';
export type { RunAs } from './postgres/run-as.ts';
export { type PostgresOptions, type RunningPostgres, startPostgres } from './postgres/start.ts';
export { createProgressPrinter, type Part, type ProgressEvent, type Report } from './progress.ts';
export { type ResolvedPieces, resolveAll } from './resolve-all.ts';
export { claimService, runningService, type ServiceClaim, type ServiceName } from './servers/claim.ts';
export { type NatsServerOptions, type RunningNatsServer, startNatsServer } from './servers/nats-server.ts';
export type { RunningServer, ServerExit } from './servers/server.ts';
export {
  type SharedServers,
  type SharedServersOptions,
  startOrJoinServers,
} from './servers/shared-servers.ts';
