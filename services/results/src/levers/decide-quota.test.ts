import { describe, expect, it } from 'vitest';
import { decideQuota, type Quota } from './decide-quota.ts';

const T0 = Date.parse('2026-01-01T00:00:00Z');
const second = 1_000;

/** Follows one engine through time: `refusals` are `[from, until]` in seconds; looks every 2 s, as results does. */
function follow(asked: number, refusals: readonly (readonly [number, number])[], seconds: number) {
  const seen: { at: number; cap: number; paused: boolean }[] = [];
  let quota: Quota | undefined;
  for (let at = 0; at <= seconds; at += 2) {
    const ends = refusals.filter(([from, until]) => from <= at && at < until).map(([, until]) => until);
    const refusedUntil = ends.length > 0 ? T0 + Math.max(...ends) * second : undefined;
    quota = decideQuota(quota, { asked, refusedUntil, now: T0 + at * second });
    const paused = (quota?.pausedUntil ?? 0) > T0 + at * second;
    const before = seen.at(-1);
    const cap = quota?.effective ?? asked;
    if (before?.cap !== cap || before.paused !== paused) seen.push({ at, cap, paused });
  }
  return seen;
}
const caps = (...of: Parameters<typeof follow>) => follow(...of).map(({ cap }) => cap);

describe('an engine that refuses', () => {
  it('keeps what was asked for while nobody is refused', () => {
    expect(caps(8, [], 600)).toEqual([8]);
  });

  it('gets half at a refusal, and no less for the calls that were under way', () => {
    const burst = [
      [10, 40],
      [11, 41],
      [13, 45],
      [18, 50],
    ] as const;
    expect(caps(40, burst, 60)).toEqual([40, 20]);
  });

  it('gets half again at each later refusal, down to one for each lane', () => {
    const refusals = [10, 40, 70, 100, 130].map((at) => [at, at + 30] as const);
    expect(caps(40, refusals, 128)).toEqual([40, 20, 10, 5, 3]);
  });

  it('is paused until it may be asked again once even the lowest cap is refused, and then tried at the lowest', () => {
    const seen = follow(
      8,
      [10, 40, 70].map((at) => [at, at + 30] as const),
      102,
    );
    expect(seen).toEqual([
      { at: 0, cap: 8, paused: false },
      { at: 10, cap: 4, paused: false },
      { at: 40, cap: 3, paused: false },
      { at: 70, cap: 3, paused: true },
      { at: 100, cap: 3, paused: false },
    ]);
  });

  it('is paused at once where nothing is left to lower', () => {
    expect(follow(3, [[10, 20]], 18).at(-1)).toEqual({ at: 10, cap: 3, paused: true });
  });

  it('is paused anew at a later refusal of the lowest cap', () => {
    const seen = follow(
      3,
      [
        [10, 20],
        [30, 44],
      ],
      60,
    );
    expect(seen.map(({ at, paused }) => [at, paused])).toEqual([
      [0, false],
      [10, true],
      [20, false],
      [30, true],
      [44, false],
    ]);
  });
});

describe('an engine that was refused', () => {
  it('comes back in small steps after half a minute without a refusal each, and is then forgotten', () => {
    const seen = follow(100, [[10, 40]], 400);
    expect(seen.map(({ cap }) => cap)).toEqual([100, 50, 60, 70, 80, 90, 100]);
    expect(seen.slice(2).map(({ at }) => at)).toEqual([70, 100, 130, 160, 190]);
    expect(decideQuota(undefined, { asked: 100, refusedUntil: undefined, now: T0 })).toBeUndefined();
  });

  it('loses at a refusal on its way back half of what it had, not of what was asked for', () => {
    expect(
      caps(
        100,
        [
          [10, 40],
          [80, 110],
        ],
        140,
      ).slice(0, 5),
    ).toEqual([100, 50, 60, 30, 40]);
  });

  it('follows a cap that was asked for lower meanwhile', () => {
    const quota = decideQuota(undefined, { asked: 100, refusedUntil: T0 + 1, now: T0 });
    expect(decideQuota(quota, { asked: 8, refusedUntil: undefined, now: T0 + 60_000 })).toBeUndefined();
    expect(decideQuota(quota, { asked: 8, refusedUntil: T0 + 90_000, now: T0 + 60_000 })?.effective).toBe(4);
  });
});

it('goes on from what was kept, wherever it is decided and however often', () => {
  const first = decideQuota(undefined, { asked: 40, refusedUntil: T0 + 30_000, now: T0 });
  const sight = { asked: 40, refusedUntil: T0 + 30_000, now: T0 + 15_000 };
  const kept: Quota | undefined = JSON.parse(JSON.stringify(first));
  expect(decideQuota(kept, sight)).toBe(kept);
  expect(decideQuota(decideQuota(kept, sight), sight)).toEqual(first);
});
