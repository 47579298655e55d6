import { expect, it } from 'vitest';
import type { ChaosReport } from './run-chaos.ts';
import { makeSchedule, type Step } from './schedule.ts';
import { shrink } from './shrink.ts';

const schedule = makeSchedule({
  ...{
    seed: 1,
    workers: 3,
    kills: 20,
    partitions: 5,
    rolling: 1,
    others: 10,
    ackWaitMs: 5_000,
    loseStore: true,
    fullDisk: true,
  },
});

const failingWith = (culprits: readonly Step[]) => async (tried: readonly Step[]) => {
  const findings = culprits.every((culprit) => tried.includes(culprit)) ? ['it failed'] : [];
  return { verdicts: [{ name: 'I1', says: '', looked_at: 1, findings }] } as unknown as ChaosReport;
};

it('finds the one fault that a failure needs', async () => {
  const culprit = schedule[17] as Step;
  expect(await shrink(schedule, failingWith([culprit]))).toEqual([culprit]);
});

it('keeps all that is left when the faults need each other', async () => {
  const pair = [schedule[0], schedule.at(-1)] as Step[];
  expect(await shrink(schedule, failingWith(pair))).toEqual(schedule);
});
