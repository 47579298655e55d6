import type { WorkerState } from '@earshot/contracts';
import { expect, it } from 'vitest';
import { engineWaits, type WaitSight } from './engine-waits.ts';

const now = Date.parse('2026-11-26T12:00:00Z');
const at = (seconds: number) => new Date(now + seconds * 1000);

/** A worker whose engines may be asked again after so many seconds; null: now. */
const worker = (engines: Record<string, number | null>, draining = false): WorkerState => ({
  ...{ id: 'w-1', host: 'h', pid: 1, version: '1', since: '', memory_bytes: 1, draining, active_jobs: [] },
  engines: Object.entries(engines).map(([name, seconds]) => ({
    ...{ name, model: 'm', slots: 1, active: 0, circuit: 'closed' as const },
    quota_until: seconds === null ? null : at(seconds).toISOString(),
  })),
});
const spend = (refused: string[], resetsIn = 43_200) => ({
  ...{ billed: {}, reserved: {}, refused },
  resets_at: at(resetsIn).toISOString(),
});
const waits = (over: Partial<WaitSight>, tenant = 'acme') =>
  Object.fromEntries(
    engineWaits({ now, workers: [], paused: new Map(), spends: new Map(), ...over }, tenant),
  );

it('an engine waits when every worker that has it leaves it alone, until the first may ask again', () => {
  expect(waits({ workers: [worker({ paid: 30, free: null }), worker({ paid: 20 })] })).toEqual({
    paid: at(20),
  });
  expect(waits({ workers: [worker({ paid: 30 }), worker({ paid: null })] })).toEqual({});
  expect(waits({ workers: [worker({ paid: 30 }), worker({ paid: -1 })] })).toEqual({});
  expect(waits({ workers: [worker({ paid: 30 }), worker({ paid: null }, true)] })).toEqual({ paid: at(30) });
  expect(waits({ workers: [worker({ paid: 30 }), worker({})] })).toEqual({ paid: at(30) });
  expect(waits({})).toEqual({});
});

it('an engine whose lanes are paused after quota errors waits, whatever its workers say', () => {
  const paused = new Map([['paid', now + 60_000]]);
  expect(waits({ workers: [worker({ paid: null })], paused })).toEqual({ paid: at(60) });
  expect(waits({ workers: [worker({ paid: 20 })], paused })).toEqual({ paid: at(60) });
  expect(waits({ paused: new Map([['paid', now]]) })).toEqual({});
});

it('a tenant whose budget refused its last call waits until the day ends, and nobody else', () => {
  const spends = new Map([['paid', spend(['acme'])]]);
  expect(waits({ spends })).toEqual({ paid: at(43_200) });
  expect(waits({ spends }, 'zenith')).toEqual({});
  expect(waits({ spends: new Map([['paid', spend(['*'])]]) }, 'zenith')).toEqual({ paid: at(43_200) });
  expect(waits({ spends: new Map([['paid', spend(['acme'], 0)]]) })).toEqual({});
});
