import { eventually } from '@earshot/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { healthy } from '../../test/fake-cloud/behaviour.ts';
import { type FakeCloudProcess, startFakeCloud } from '../../test/fake-cloud/launch.ts';
import { openPaidBench, type PaidBench, textOf } from '../../test/paid-bench.ts';
import type { BudgetGate } from '../budget/budget-gate.ts';
import { CallPostponed } from '../budget/call-postponed.ts';

/** A gate that lets all through, or nothing, and keeps what it was asked. */
class TestGate implements Pick<BudgetGate, 'reserve' | 'release'> {
  readonly asked: { tenant: string; ms: number }[] = [];
  readonly released: string[] = [];
  shut = false;

  async reserve({ tenant, ms }: Parameters<BudgetGate['reserve']>[0]): Promise<void> {
    if (this.shut) throw new CallPostponed('the budget is used up', 60_000, false);
    this.asked.push({ tenant, ms });
  }
  async release(name: string): Promise<void> {
    this.released.push(name);
  }
}

let cloud: FakeCloudProcess;
beforeAll(async () => {
  cloud = await startFakeCloud();
});
afterAll(() => cloud.dispose());

describe.each(['lookup', 'blind'] as const)('a call of a %s engine with a budget', (engine) => {
  let bench: PaidBench;
  let gate: TestGate;
  let callsBefore = 0;
  beforeEach(async () => {
    await cloud.behave(healthy);
    callsBefore = (await cloud.log()).length;
    bench = await openPaidBench(cloud.url, engine);
    gate = new TestGate();
  });
  afterEach(() => bench.dispose());
  const worker = () => bench.worker({ gates: new Map([[engine, gate]]) });
  const calls = async () => (await cloud.log()).length - callsBefore;

  it('is reserved for all its sound before it is made, and not again for its result', async () => {
    expect(textOf(await (await worker()).run())).toBe(bench.text);
    expect(textOf(await (await worker()).run({}, { delivery: 2 }))).toBe(bench.text);
    expect(gate.asked).toEqual([{ tenant: 'acme', ms: 1000 }]);
    expect(gate.released).toEqual([]);
  });

  it('that does not fit waits without an attempt, and leaves nothing in the ledger', async () => {
    gate.shut = true;
    const outcome = await (await worker()).run();
    expect(outcome.kind === 'later' && outcome.after_ms).toBeGreaterThanOrEqual(60_000);
    expect(await bench.written(1, 'intent')).toBeUndefined();
    expect(await calls()).toBe(0);
    gate.shut = false;
    expect(textOf(await (await worker()).run())).toBe(bench.text);
  });

  it('that was refused by the vendor gives back what was reserved', async () => {
    await cloud.behave({ faults: ['quota'] });
    expect(await (await worker()).run()).toMatchObject({ kind: 'later' });
    expect(gate.released).toHaveLength(1);
  });
});

it('a call that another worker made before the budget was used up is looked up all the same', async () => {
  const bench = await openPaidBench(cloud.url, 'lookup');
  await cloud.behave({ faults: ['hang_after'] });
  const before = (await cloud.bill()).length;
  void (await bench.worker()).run();
  await eventually('the call', async () => (await cloud.bill()).length > before);
  const gate = new TestGate();
  gate.shut = true;
  const next = await bench.worker({ gates: new Map([['lookup', gate]]) });
  expect(textOf(await next.run({}, { delivery: 2 }))).toBe(bench.text);
  expect((await cloud.bill()).length).toBe(before + 1);
  await bench.dispose();
});
