export type { BrokerAuth } from './connection/auth.ts';
export type { Broker } from './connection/broker.ts';
export { type BrokerOptions, connectBroker } from './connection/connect.ts';
export { type OpenBrokerOptions, openBroker, topologyDrift } from './connection/open-broker.ts';
export { roundTrip } from './connection/round-trip.ts';
export { PAUSED_FOR_EVER, pauseConsumer, resumeConsumer } from './levers/pause.ts';
export { type ConsumerLevers, readLevers } from './levers/read-levers.ts';
export { setCap } from './levers/set-cap.ts';
export type { Log } from './log.ts';
export { type AbortReason, abortReason, WorkAborted } from './loop/aborted.ts';
export type { Backoff } from './loop/backoff.ts';
export type { EventHandler, RawMessage, TakenEvent } from './loop/event-policy.ts';
export type { LoopEvents } from './loop/events.ts';
export { type FactLoop, type FactLoopOptions, startFactLoop } from './loop/fact-loop.ts';
export type { Loop, StopOptions } from './loop/message-loop.ts';
export type { Settled } from './loop/policy.ts';
export type { ReceivedFact } from './loop/received-fact.ts';
export { type EventLoopOptions, startEventLoop } from './loop/start-event-loop.ts';
export {
  type JobLoop,
  type JobLoopOptions,
  type JobLoopSettings,
  startJobLoop,
} from './loop/start-job-loop.ts';
export { type FactPosition, factPosition } from './read/fact-position.ts';
export type { SequencedFact } from './read/fact-reader.ts';
export { type OldestJob, type OldestJobs, oldestJobs } from './read/oldest-jobs.ts';
export { type QueueState, readQueue } from './read/queue.ts';
export { readAllFacts } from './read/read-all-facts.ts';
export { type KeptSpend, readSpend, watchSpend, writeSpend } from './spend/spend-book.ts';
export { accountStoreBytes } from './store/account.ts';
export { type MakeRoomOptions, makeRoom, purge } from './store/make-room.ts';
export { type BudgetUsage, type StoreUsage, storeUsage } from './store/usage.ts';
export { applyTopology } from './topology/apply.ts';
export { missingParts, streamBirths } from './topology/missing.ts';
export { verifyTopology } from './topology/verify.ts';
export { pingWorkers, restartPools } from './workers/ask-workers.ts';
export { type ListedWorker, listWorkers } from './workers/list-workers.ts';
export { readWorkerStates } from './workers/read-worker-states.ts';
export {
  startWorkerControl,
  type WorkerControl,
  type WorkerControlOptions,
} from './workers/worker-control.ts';
