import { jobLanes } from '@earshot/contracts';
import { PAUSED_FOR_EVER } from '@earshot/messaging';
import { describe, expect, it } from 'vitest';
import type { AskedLane } from '../store/sql/levers.ts';
import type { Quota } from './decide-quota.ts';
import { planLanes, shareLeft } from './plan-lanes.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const lanes = jobLanes({ engines: ['google', 'sherpa'], maxAckPending: { google: 8 } });

function plan(asked: readonly AskedLane[] = [], quotas: Record<string, Partial<Quota>> = {}) {
  const rows = {
    asked: new Map(asked.map((row) => [row.durable, row])),
    quotas: new Map(
      Object.entries(quotas).map(([engine, quota]) => [
        engine,
        { effective: 3, seenUntil: NOW, loweredAt: NOW, changedAt: NOW, pausedUntil: null, ...quota },
      ]),
    ),
  };
  const planned = planLanes(lanes, rows, NOW);
  return Object.fromEntries(planned.map((lane) => [lane.durable, lane]));
}
const capsOf = (planned: ReturnType<typeof plan>, engine: string) =>
  ['high', 'normal', 'low'].map((lane) => planned[`chunk-${engine}-${lane}`]?.cap);

it('gives every lane what the settings say until somebody asks for something else', () => {
  const planned = plan();
  expect(capsOf(planned, 'google')).toEqual([2, 5, 1]);
  expect(capsOf(planned, 'sherpa')).toEqual([200, 700, 100]);
  expect(planned['split-low']).toMatchObject({ cap: 1000, pausedUntil: undefined });
});

it('gives a lane what was asked for, and leaves its cap to the settings where only a pause was', () => {
  const planned = plan([
    { durable: 'chunk-google-high', max_ack_pending: 7, paused: false },
    { durable: 'chunk-google-low', max_ack_pending: null, paused: true },
  ]);
  expect(capsOf(planned, 'google')).toEqual([7, 5, 1]);
  expect(planned['chunk-google-low']?.pausedUntil).toBe(PAUSED_FOR_EVER);
  expect(planned['chunk-google-high']?.pausedUntil).toBeUndefined();
});

it('lowers the lanes of the engine that refuses, and of no other', () => {
  const planned = plan([], { google: { effective: 4 } });
  expect(capsOf(planned, 'google')).toEqual([1, 2, 1]);
  expect(planned['chunk-google-high']?.asked).toBe(2);
  expect(capsOf(planned, 'sherpa')).toEqual([200, 700, 100]);
});

it('pauses all lanes of an engine that refuses for good, until it may be asked again', () => {
  const until = NOW + 5_000;
  const planned = plan([{ durable: 'chunk-google-low', max_ack_pending: null, paused: true }], {
    google: { pausedUntil: until },
    sherpa: { pausedUntil: NOW - 1 },
  });
  expect(planned['chunk-google-high']?.pausedUntil).toEqual(new Date(until));
  expect(planned['chunk-google-low']?.pausedUntil).toBe(PAUSED_FOR_EVER);
  expect(planned['chunk-sherpa-high']?.pausedUntil).toBeUndefined();
});

describe('a share of what is left', () => {
  it.each([
    [[2, 5, 1], undefined, [2, 5, 1]],
    [[2, 5, 1], 9, [2, 5, 1]],
    [[2, 7, 1], 3, [1, 1, 1]],
    [[1, 1, 100], 51, [1, 1, 49]],
    [[200, 700, 100], 500, [100, 350, 50]],
  ])('of %j with %s left is %j', (asked, left, expected) => {
    expect(shareLeft(asked, left)).toEqual(expected);
  });

  it('is never more than what is left, and one for every lane at least', () => {
    for (let high = 1; high < 9; high += 1) {
      for (let normal = 1; normal < 30; normal += 1) {
        for (let left = 3; left < high + normal + 2; left += 1) {
          const caps = shareLeft([high, normal, 2], left);
          expect(Math.min(...caps)).toBeGreaterThan(0);
          expect(caps.reduce((total, cap) => total + cap, 0)).toBeLessThanOrEqual(left);
        }
      }
    }
  });
});
