import { eventually } from '@earshot/testkit';
import { afterEach, expect, it } from 'vitest';
import { log } from '../test/fixture.ts';
import { keepLatest, type Latest } from './keep-latest.ts';

const kept: Latest<unknown>[] = [];
afterEach(() => Promise.all(kept.splice(0).map((one) => one.stop())));

function keep<T>(read: () => Promise<T>, staleMs: number): Latest<T> {
  const latest = keepLatest({ what: 'the queue', read, log, everyMs: 5, longestMs: 50, staleMs });
  kept.push(latest);
  return latest;
}

it('a source that hangs keeps nobody waiting who asks for its value of a moment ago', async () => {
  let reads = 0;
  let answer = (_: number) => {};
  const hanging = new Promise<number>((resolve) => {
    answer = resolve;
  });
  const latest = keep(() => (reads++ === 0 ? Promise.resolve(7) : hanging), 60_000);
  await eventually('the second look', () => reads === 2);
  expect(await latest.latest()).toBe(7);
  answer(8);
  await eventually('the next value', async () => (await latest.latest()) === 8);
});

it('a value goes when its source has been away for too long, and comes back with it', async () => {
  let source: number | undefined = 1;
  const latest = keep(async () => {
    if (source === undefined) throw new Error('away');
    return source;
  }, 500);
  const told = () => latest.latest().catch(({ code }) => code);
  await eventually('the value', async () => (await told()) === 1);
  source = undefined;
  await eventually('no value', async () => (await told()) === 'unavailable');
  source = 2;
  await eventually('a value again', async () => (await told()) === 2);
});
