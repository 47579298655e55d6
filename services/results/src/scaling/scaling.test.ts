import type { QueueFigures } from '@earshot/contracts';
import { describe, expect, it } from 'vitest';
import { clearanceOf, decideScaling } from './decide-scaling.ts';
import { type StandingAdvice, steadyAdvice } from './steady-advice.ts';

const LIMITS = {
  ...{ upQueue: 10, downQueue: 2, waitSeconds: 300, cpuPercent: 80, memoryPercent: 85 },
  ...{ failurePercent: 5, clearMinutes: 30 },
};

const lane = (waiting: number, over: Partial<QueueFigures['lanes'][number]> = {}) => ({
  ...{ durable: 'chunk-sherpa-normal', stage: 'chunk' as const, engine: 'sherpa', lane: 'normal' as const },
  ...{ waiting, in_flight: 0, oldest_seconds: 0, audio_seconds: 0, served: true },
  ...over,
});

const figures = (over: Partial<QueueFigures> = {}): QueueFigures => ({
  ...{ queue_length: 0, waiting: 0, active_tasks: 0, scheduled_tasks: 0, failed_tasks: 0 },
  ...{ oldest_seconds: 0, audio_seconds: 0, workers: 2, slots: 4 },
  ...{ cpu_ratio: 0.5, memory_ratio: 0.5, failure_ratio: 0, realtime_factor: 0.1, lanes: [lane(5)] },
  ...over,
});
const decide = (over?: Partial<QueueFigures>) => decideScaling(figures(over), LIMITS);

describe('the decision', () => {
  it.each([
    ['2 jobs', { lanes: [lane(2)] }, 'same', 'same'],
    ['1 job', { lanes: [lane(1)] }, 'down', 'same'],
    ['1 job in work', { lanes: [lane(0, { in_flight: 1 })] }, 'down', 'same'],
    ['2 jobs in work', { lanes: [lane(0, { in_flight: 2 })] }, 'same', 'same'],
    ['10 jobs', { lanes: [lane(10)] }, 'same', 'same'],
    ['11 jobs', { lanes: [lane(11)] }, 'up', 'same'],
    ['100 in work and none waiting', { lanes: [lane(0, { in_flight: 100 })] }, 'same', 'same'],
    ['a wait of 300 s', { lanes: [lane(5, { oldest_seconds: 300 })] }, 'same', 'same'],
    ['a wait of 301 s', { lanes: [lane(5, { oldest_seconds: 301 })] }, 'same', 'raise'],
    ['CPU at 80 %', { cpu_ratio: 0.8 }, 'same', 'same'],
    ['CPU at 81 %', { cpu_ratio: 0.81 }, 'up', 'same'],
    ['memory at 85 %', { memory_ratio: 0.85 }, 'same', 'same'],
    ['memory at 86 %', { memory_ratio: 0.86 }, 'same', 'lower'],
    ['memory at 86 % with one slot each', { memory_ratio: 0.86, slots: 2 }, 'up', 'same'],
    ['failures of 5 %', { failure_ratio: 0.05 }, 'same', 'same'],
    ['failures of 5.2 %', { failure_ratio: 0.052 }, 'same', 'lower'],
    ['nothing to do for the last worker', { lanes: [lane(0)], workers: 1 }, 'same', 'same'],
    ['one job and no worker', { lanes: [lane(1)], workers: 0, slots: 0 }, 'up', 'same'],
    [
      'nothing known of workers',
      { cpu_ratio: null, memory_ratio: null, failure_ratio: null },
      'same',
      'same',
    ],
    ['a long queue of an engine that is down', { lanes: [lane(500, { served: false })] }, 'down', 'same'],
  ])('with %s', (_what, over, workers, concurrency) => {
    expect(decide(over)).toMatchObject({ workers, concurrency });
  });

  it('raises nothing on a busy CPU or a full memory, however long jobs wait', () => {
    const lanes = [lane(5, { oldest_seconds: 900 })];
    expect(decide({ lanes, cpu_ratio: 0.9 })).toMatchObject({ workers: 'up', concurrency: 'same' });
    expect(decide({ lanes, memory_ratio: 0.9 })).toMatchObject({ concurrency: 'lower' });
  });

  it('names every reason with its figure and its threshold', () => {
    const { reasons, investigate } = decide({ lanes: [lane(12)], failure_ratio: 0.2 });
    expect(investigate).toBe(true);
    expect(reasons).toEqual([
      '20 % of the chunks failed, more than 5 %: lower the concurrency and look why',
      '12 jobs wait, more than 10: scale up',
    ]);
    expect(decide().reasons).toEqual(['all figures are within their limits']);
  });

  it('wants as many workers as clear the backlog in time, at the measured realtime factor', () => {
    // 36,000 s × 0.5 = 300 min of work; a worker of 2 slots does 60 in 30 min.
    const busy = figures({ lanes: [lane(600, { audio_seconds: 36_000 })], realtime_factor: 0.5 });
    expect(clearanceOf(busy, LIMITS)).toEqual({ minutes: 75, workers: 5, within_minutes: 30 });
    expect(decideScaling(busy, LIMITS).workers_wanted).toBe(5);
    const unknown = { minutes: null, workers: null, within_minutes: 30 };
    expect(clearanceOf({ ...busy, realtime_factor: null }, LIMITS)).toEqual(unknown);
    expect(clearanceOf({ ...busy, workers: 0, slots: 0 }, LIMITS)).toEqual(unknown);
  });
});

describe('the advice', () => {
  const STEADY_MS = 300_000;
  const START = Date.parse('2026-01-01T00:00:00Z');

  /** Asks every `everyMs` for an hour; returns when the advice changed. */
  function changesOf(waiting: (minute: number) => number, everyMs: number): number[] {
    let standing: StandingAdvice | undefined;
    const changes: number[] = [];
    for (let now = START; now < START + 3_600_000; now += everyMs) {
      const decision = decide({ lanes: [lane(waiting((now - START) / 60_000))] });
      const steady = steadyAdvice(standing, decision, now, STEADY_MS);
      if (standing && steady.standing.changedAt !== standing.changedAt) changes.push(now);
      standing = steady.standing;
    }
    return changes;
  }

  it.each([1_000, 7_000, 60_000])(
    'changes at most once in 5 min while the queue swings between 8 and 12 for an hour, asked every %i ms',
    (everyMs) => {
      const changes = changesOf((minute) => 10 + 2 * Math.sin(minute * 7), everyMs);
      const gaps = changes.slice(1).map((at, index) => at - (changes[index] ?? 0));
      expect(changes.length).toBeGreaterThan(0);
      expect(changes.length).toBeLessThanOrEqual(12);
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(STEADY_MS);
    },
  );

  it('does not change while the figures ask for the same', () => {
    expect(changesOf(() => 11, 1_000)).toEqual([]);
  });

  it('says what the figures ask for now, and that the change has to wait', () => {
    const up = steadyAdvice(undefined, decide({ lanes: [lane(11)] }), START, STEADY_MS);
    const { advice } = steadyAdvice(up.standing, decide({ lanes: [lane(0)] }), START + 299_000, STEADY_MS);
    expect(advice).toMatchObject({ workers: 'up', steady_until: '2026-01-01T00:05:00.000Z' });
    expect(advice.reasons[0]).toContain('scale down');
    expect(advice.reasons[1]).toContain('stays until');
    const later = steadyAdvice(up.standing, decide({ lanes: [lane(0)] }), START + 300_000, STEADY_MS);
    expect(later.advice).toMatchObject({ workers: 'down', changed_at: '2026-01-01T00:05:00.000Z' });
  });
});
