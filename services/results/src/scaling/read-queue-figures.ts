import { ALL_TENANTS, type JobLane, type QueueFigures, type WorkerState } from '@earshot/contracts';
import { type Broker, type ConsumerLevers, readQueue, readWorkerStates } from '@earshot/messaging';
import type { FigureKeeper } from '../queue/keep-figures.ts';
import type { Figures } from '../queue/read-figures.ts';
import type { ReadWaits } from '../waits/watch-waits.ts';

/** What the figures are read from; `waits` as in `watchWaits`. */
export interface QueueFiguresDeps {
  readonly broker: Broker;
  /** Every lane of the installation. */
  readonly lanes: readonly JobLane[];
  readonly figures: FigureKeeper;
  readonly waits: ReadWaits;
}

/** What `/v1/queue` shows: jobs, workers and waits as they are now, the rest as the keeper has it. */
export async function readQueueFigures(deps: QueueFiguresDeps): Promise<QueueFigures> {
  const [queue, states, figures, waits] = await Promise.all([
    readQueue(deps.broker),
    readWorkerStates(deps.broker),
    deps.figures.latest(),
    deps.waits(ALL_TENANTS),
  ]);
  const found = new Map(queue.consumers.map((consumer) => [consumer.durable, consumer]));
  const workers = states.filter(({ draining }) => !draining);
  const lanes = deps.lanes.map((lane) => {
    const consumer = found.get(lane.durable);
    const waiting = waits.has(lane.engine ?? '');
    const served = !consumer?.paused && !waiting && !isDown(lane.engine, workers);
    return { ...laneOf(lane, consumer, figures), served };
  });
  const waiting = total(lanes.map((lane) => lane.waiting));
  const active_tasks = total(lanes.map(({ in_flight }) => in_flight));
  const chunks = total(figures.work.map((work) => work.chunks));
  const audio_ms = total(figures.work.map((work) => work.audio_ms));
  return {
    queue_length: waiting + active_tasks,
    waiting,
    active_tasks,
    scheduled_tasks: queue.scheduled,
    failed_tasks: total([...figures.letters.values()]),
    oldest_seconds: Math.max(0, ...lanes.map(({ oldest_seconds }) => oldest_seconds)),
    audio_seconds: total(lanes.map(({ audio_seconds }) => audio_seconds ?? 0)),
    workers: workers.length,
    slots: total(workers.flatMap(({ engines }) => engines.map(({ slots }) => slots))),
    cpu_ratio: highest(workers.map(({ cpu_ratio }) => cpu_ratio)),
    memory_ratio: highest(workers.map(({ memory_ratio }) => memory_ratio)),
    failure_ratio: ratio(figures.failures, figures.failures + chunks),
    realtime_factor: ratio(total(figures.work.map(({ engine_ms }) => engine_ms)), audio_ms),
    lanes,
  };
}

function laneOf(
  { durable, stage, engine, lane }: JobLane,
  consumer: ConsumerLevers | undefined,
  figures: Figures,
) {
  const at = figures.oldest.get(durable)?.at;
  const own = figures.backlog.find((one) => one.engine === engine && one.lane === lane);
  return {
    ...{ durable, stage, engine, lane },
    waiting: consumer?.waiting ?? 0,
    in_flight: consumer?.inFlight ?? 0,
    oldest_seconds: at ? Math.max(0, Date.now() - at.getTime()) / 1000 : 0,
    audio_seconds: engine === null ? null : (own?.audio_ms ?? 0) / 1000,
  };
}

/** True while every worker that has the engine leaves it alone; without any such worker, one more would help. */
function isDown(engine: string | null, workers: readonly WorkerState[]): boolean {
  const having = workers.flatMap(({ engines }) => engines.filter(({ name }) => name === engine));
  return having.length > 0 && having.every(({ circuit }) => circuit !== 'closed');
}

const total = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0);
const ratio = (part: number, whole: number) => (whole > 0 ? part / whole : null);

function highest(values: readonly (number | undefined)[]): number | null {
  const known = values.filter((value) => value !== undefined);
  return known.length > 0 ? Math.max(...known) : null;
}
