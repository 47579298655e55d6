import type { Clearance, QueueFigures, ScalingAdvice } from '@earshot/contracts';

/** When to change something; the settings EARSHOT_SCALE_*. */
export interface ScalingThresholds {
  readonly upQueue: number;
  readonly downQueue: number;
  readonly waitSeconds: number;
  readonly cpuPercent: number;
  readonly memoryPercent: number;
  readonly failurePercent: number;
  /** In how many minutes a backlog is to be cleared. */
  readonly clearMinutes: number;
}

/** What the figures alone ask for. */
export type ScalingDecision = Omit<ScalingAdvice, 'changed_at' | 'steady_until'>;

interface Rule {
  readonly holds: boolean;
  readonly workers?: 'up' | 'down';
  readonly concurrency?: 'raise' | 'lower';
  readonly investigate?: true;
  readonly reason: string;
}

const percent = (ratio: number | null) => (ratio === null ? null : Math.round(ratio * 100));

/** What more workers could do something about: lanes that are paused or whose engine is down are left out. */
function servable(figures: QueueFigures) {
  const lanes = figures.lanes.filter(({ served }) => served);
  const waiting = lanes.reduce((sum, lane) => sum + lane.waiting, 0);
  const length = lanes.reduce((sum, lane) => sum + lane.waiting + lane.in_flight, 0);
  const queued = lanes.filter((lane) => lane.waiting > 0);
  const wait = Math.max(0, ...queued.map(({ oldest_seconds }) => oldest_seconds));
  const audio = lanes.reduce((sum, { audio_seconds }) => sum + (audio_seconds ?? 0), 0);
  return { waiting, length, wait, audio };
}

/** Every rule with its threshold, most pressing first. */
function rulesOf(figures: QueueFigures, limits: ScalingThresholds): Rule[] {
  const { waiting, length, wait } = servable(figures);
  const { workers, slots } = figures;
  const [cpu, memory] = [percent(figures.cpu_ratio), percent(figures.memory_ratio)];
  const failed = percent(figures.failure_ratio);
  const over = (value: number | null, limit: number) => value !== null && value > limit;
  const failing = (figures.failure_ratio ?? 0) * 100 > limits.failurePercent;
  return [
    {
      holds: failing,
      concurrency: 'lower',
      investigate: true,
      reason: `${failed} % of the chunks failed, more than ${limits.failurePercent} %: lower the concurrency and look why`,
    },
    {
      holds: workers === 0 && waiting > 0,
      workers: 'up',
      reason: `${waiting} jobs wait and there is no worker`,
    },
    {
      holds: over(memory, limits.memoryPercent),
      ...(slots > workers ? { concurrency: 'lower' as const } : { workers: 'up' as const }),
      reason: `memory is at ${memory} %, above ${limits.memoryPercent} %: lower the concurrency, or scale out where it is 1`,
    },
    {
      holds: over(cpu, limits.cpuPercent),
      workers: 'up',
      reason: `CPU is at ${cpu} %, above ${limits.cpuPercent} %: scale out`,
    },
    {
      holds: waiting > limits.upQueue,
      workers: 'up',
      reason: `${waiting} jobs wait, more than ${limits.upQueue}: scale up`,
    },
    {
      holds: wait > limits.waitSeconds && !over(cpu, limits.cpuPercent),
      concurrency: 'raise',
      reason: `jobs wait ${Math.round(wait)} s, longer than ${limits.waitSeconds} s: raise the concurrency`,
    },
    {
      holds: length < limits.downQueue && workers > 1,
      workers: 'down',
      reason: `${length} jobs wait or are in work, fewer than ${limits.downQueue}: scale down`,
    },
  ];
}

/** What the figures ask for, and why. Pure. Where rules disagree, up wins over down and lower over raise. */
export function decideScaling(figures: QueueFigures, limits: ScalingThresholds): ScalingDecision {
  const rules = rulesOf(figures, limits).filter(({ holds }) => holds);
  const asks = (what: Rule['workers'] | Rule['concurrency']) =>
    rules.some((rule) => rule.workers === what || rule.concurrency === what);
  const workers = asks('up') ? 'up' : asks('down') ? 'down' : 'same';
  const clear = clearanceOf(figures, limits).workers ?? 0;
  const steps = {
    up: Math.max(figures.workers + 1, clear),
    same: figures.workers,
    down: figures.workers - 1,
  };
  return {
    workers,
    workers_wanted: steps[workers],
    concurrency: asks('lower') ? 'lower' : asks('raise') ? 'raise' : 'same',
    investigate: rules.some(({ investigate }) => investigate),
    reasons: rules.length > 0 ? rules.map(({ reason }) => reason) : ['all figures are within their limits'],
  };
}

/** How long the backlog takes, and how many workers clear it in time: audio × realtime factor ÷ slots. */
export function clearanceOf(figures: QueueFigures, limits: ScalingThresholds): Clearance {
  const { realtime_factor: factor, slots, workers } = figures;
  const within_minutes = limits.clearMinutes;
  if (factor === null) return { minutes: null, workers: null, within_minutes };
  const work = (servable(figures).audio * factor) / 60;
  const each = workers > 0 ? slots / workers : 0;
  return {
    minutes: slots > 0 ? Math.round((work / slots) * 10) / 10 : null,
    workers: each > 0 ? Math.ceil(work / each / within_minutes) : null,
    within_minutes,
  };
}
