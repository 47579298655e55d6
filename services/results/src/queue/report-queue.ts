import { type JobLane, METRICS } from '@earshot/contracts';
import { type Broker, factPosition, readQueue, readWorkerStates, storeUsage } from '@earshot/messaging';
import type { Metrics, Observe } from '@earshot/service-kit';
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
}

const STAGES = ['accept', 'split', 'chunk', 'message'] as const;

const labelsOf = ({ stage, engine, lane }: JobLane) => ({ stage, engine: engine ?? '', lane });

/** Tells of queues, workers and transcripts at every scrape. Each source on its own: one that is away silences no other. */
export function reportQueue(options: ReportQueueOptions): void {
  const { metrics, broker, lanes, figures, storeBytes, minWorkers } = options;
  const m = METRICS;
  metrics.observe([m.queueLength, m.activeJobs, m.scheduledJobs], async (observe) => {
    const { consumers, scheduled } = await readQueue(broker);
    const found = new Map(consumers.map((consumer) => [consumer.durable, consumer]));
    for (const lane of lanes) {
      const { waiting = 0, inFlight = 0 } = found.get(lane.durable) ?? {};
      observe(m.queueLength, waiting + inFlight, labelsOf(lane));
      observe(m.activeJobs, inFlight, labelsOf(lane));
    }
    observe(m.scheduledJobs, scheduled, {});
  });
  metrics.observe([m.activeWorkers], async (observe) => {
    observe(m.activeWorkers, (await readWorkerStates(broker)).filter(({ draining }) => !draining).length, {});
  });
  metrics.observe([m.workersMinimum], (observe) => observe(m.workersMinimum, minWorkers, {}));
  metrics.observe([m.resultsLag], async (observe) => {
    const position = await factPosition(broker);
    if (position) observe(m.resultsLag, position.open, {});
  });
  metrics.observe([m.streamUsed], async (observe) => {
    for (const { name, bytes, limit } of (await storeUsage(broker, storeBytes)).budgets) {
      observe(m.streamUsed, bytes / limit, { budget: name });
    }
  });
  const kept = [m.queueOldest, m.queueAudio, m.concurrentUsers, m.realtimeFactor, m.deadLetters];
  metrics.observe(kept, async (observe) => tellFigures(observe, lanes, await figures.latest()));
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
