import { type JobLane, METRICS } from '@earshot/contracts';
import { type Broker, factPosition, readQueue, readWorkerStates, storeUsage } from '@earshot/messaging';
import type { Logger, Metrics, Observe } from '@earshot/service-kit';
import { keepLive } from '../keep-latest.ts';
import type { FigureKeeper } from './keep-figures.ts';
import type { Figures } from './read-figures.ts';

export interface ReportQueueOptions {
  readonly metrics: Metrics;
  readonly broker: Broker;
  readonly lanes: readonly JobLane[];
  readonly figures: FigureKeeper;
  /** Stands in for an account without a limit; see `storeUsage`. */
  readonly storeBytes: number | undefined;
  /** Workers that are to be there also without work. */
  readonly minWorkers: number;
  readonly log: Logger;
}

const STAGES = ['accept', 'split', 'chunk', 'message'] as const;

const labelsOf = ({ stage, engine, lane }: JobLane) => ({ stage, engine: engine ?? '', lane });

/**
 * Tells of queues, workers and transcripts at every scrape until it is stopped. Each source on its own: one that is away
 * silences no other.
 */
export function reportQueue(options: ReportQueueOptions): { stop(): Promise<void> } {
  const { metrics, broker, lanes, figures, storeBytes, minWorkers, log } = options;
  const m = METRICS;
  const keep = <T>(what: string, read: () => Promise<T>) => keepLive({ what, read, log });
  const queue = keep('the queue', () => readQueue(broker));
  metrics.observe([m.queueLength, m.activeJobs, m.scheduledJobs], async (observe) => {
    const { consumers, scheduled } = await queue.latest();
    const found = new Map(consumers.map((consumer) => [consumer.durable, consumer]));
    for (const lane of lanes) {
      const { waiting = 0, inFlight = 0 } = found.get(lane.durable) ?? {};
      observe(m.queueLength, waiting + inFlight, labelsOf(lane));
      observe(m.activeJobs, inFlight, labelsOf(lane));
    }
    observe(m.scheduledJobs, scheduled, {});
  });
  const workers = keep('the workers', () => readWorkerStates(broker));
  metrics.observe([m.activeWorkers], async (observe) => {
    observe(m.activeWorkers, (await workers.latest()).filter(({ draining }) => !draining).length, {});
  });
  metrics.observe([m.workersMinimum], (observe) => observe(m.workersMinimum, minWorkers, {}));
  const position = keep('the position of the facts', () => factPosition(broker));
  metrics.observe([m.resultsLag], async (observe) => {
    const known = await position.latest();
    if (known) observe(m.resultsLag, known.open, {});
  });
  const usage = keep('the use of the store', () => storeUsage(broker, storeBytes));
  metrics.observe([m.streamUsed], async (observe) => {
    for (const { name, bytes, limit } of (await usage.latest()).budgets) {
      observe(m.streamUsed, bytes / limit, { budget: name });
    }
  });
  const kept = [m.queueOldest, m.queueAudio, m.concurrentUsers, m.realtimeFactor, m.deadLetters];
  metrics.observe(kept, async (observe) => tellFigures(observe, lanes, await figures.latest()));
  return {
    stop: async () => void (await Promise.all([queue, workers, position, usage].map((one) => one.stop()))),
  };
}

function tellFigures(observe: Observe, lanes: readonly JobLane[], figures: Figures): void {
  const now = Date.now();
  for (const lane of lanes) {
    const at = figures.oldest.get(lane.durable)?.at.getTime() ?? now;
    observe(METRICS.queueOldest, Math.max(0, now - at) / 1000, labelsOf(lane));
    if (lane.engine === null) continue;
    const own = figures.backlog.find((one) => one.engine === lane.engine && one.lane === lane.lane);
    observe(METRICS.queueAudio, (own?.audio_ms ?? 0) / 1000, { engine: lane.engine, lane: lane.lane });
  }
  for (const engine of new Set(lanes.flatMap((lane) => lane.engine ?? []))) {
    const work = figures.work.find((one) => one.engine === engine);
    observe(METRICS.realtimeFactor, work?.audio_ms ? work.engine_ms / work.audio_ms : 0, { engine });
  }
  for (const stage of STAGES) observe(METRICS.deadLetters, figures.letters.get(stage) ?? 0, { stage });
  observe(METRICS.concurrentUsers, figures.users, {});
}
