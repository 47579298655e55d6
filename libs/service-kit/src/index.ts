export { type ConfigCheck, ConfigError, type ConfigRules, loadConfig, loadTogether } from './config.ts';
export { drain } from './drain.ts';
export { type Health, registerHealth } from './health.ts';
export { createHttpServer, type HttpErrorCode, type HttpServer, requireScope } from './http-server.ts';
export { createLogger, type Logger } from './logger.ts';
export { HTTP_METRICS } from './metrics/http-metrics.ts';
export { MachineUse } from './metrics/machine-use.ts';
export type { Labels, MetricSpec, Metrics, Observe } from './metrics/metrics.ts';
export { openMetrics } from './metrics/open-metrics.ts';
export { PROCESS_METRICS, reportProcess } from './metrics/process-metrics.ts';
export {
  type Authenticate,
  doorOf,
  doorProblems,
  isLoopback,
  keyedDoor,
  openDoor,
  type Principal,
  SCOPES,
  type Scope,
} from './principal.ts';
export { configOrExit, type RunningService, runService } from './run-service.ts';
export { type HttpOptions, type RunningHttp, startHttp } from './start-http.ts';
