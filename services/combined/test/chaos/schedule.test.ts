import { expect, it } from 'vitest';
import { describeStep, halves, makeSchedule } from './schedule.ts';

const options = {
  seed: 1,
  workers: 3,
  kills: 20,
  partitions: 5,
  rolling: 1,
  others: 10,
  ackWaitMs: 5_000,
  loseStore: true,
  fullDisk: true,
};

it('is the same for the same seed, and another for another', () => {
  expect(makeSchedule(options)).toEqual(makeSchedule(options));
  expect(makeSchedule({ ...options, seed: 2 })).not.toEqual(makeSchedule(options));
});

it('holds as many faults of each kind as were asked for, over the whole work and in its order', () => {
  const schedule = makeSchedule(options);
  const count = (kind: string) => schedule.filter(({ fault }) => fault.kind === kind).length;
  expect(schedule).toHaveLength(38);
  expect([count('kill'), count('partition'), count('lose_store'), count('full_disk')]).toEqual([20, 5, 1, 1]);
  const times = schedule.map(({ at }) => at);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(times[0]).toBeGreaterThan(0);
  expect(times.at(-1)).toBeLessThan(1);
});

it('can be halved until one fault is left, none lost on the way', () => {
  const schedule = makeSchedule(options);
  const [first, second] = halves(schedule);
  expect([...first, ...second]).toEqual(schedule);
  expect(halves(schedule.slice(0, 1))).toEqual([schedule.slice(0, 1), []]);
});

it('tells a person what happens when', () => {
  const fault = { kind: 'partition', edge: 'worker-1/nats', ms: 4_000 } as const;
  expect(describeStep({ at: 0.125, fault })).toBe(' 12.5 %  partition worker-1/nats 4000');
});
