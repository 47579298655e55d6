import { beforeAll, describe, expect, it } from 'vitest';
import { aChunkJob, chunkResult, testTopology, useBroker } from '../../test/support.ts';
import { startFactLoop } from '../loop/fact-loop.ts';
import { applyTopology } from '../topology/apply.ts';
import { factPosition } from './fact-position.ts';
import { readAllFacts } from './read-all-facts.ts';

describe('reading all facts', () => {
  const { broker, log } = useBroker();
  const never = new AbortController().signal;
  beforeAll(() => applyTopology(broker(), testTopology(['fake'])));

  async function readNumbers(signal = never): Promise<number[]> {
    const numbers: number[] = [];
    const handle = async (batch: readonly { event: { data?: unknown } | undefined }[]) => {
      numbers.push(...batch.map(({ event }) => (event?.data as { n: number } | undefined)?.n ?? -1));
    };
    await readAllFacts(broker(), { handle, log, signal });
    return numbers;
  }

  it('reads nothing from an empty stream', async () => {
    expect(await readNumbers()).toEqual([]);
  });

  it('reads every fact again that was acknowledged long ago, and takes nothing from who reads new ones', async () => {
    const job = aChunkJob();
    for (let n = 0; n < 450; n += 1) await broker().publisher.publish(chunkResult({ ...job, n }));
    const results = startFactLoop({ broker: broker(), handle: async () => {}, log });
    while ((await factPosition(broker()))?.open !== 0);
    const expected = Array.from({ length: 450 }, (_, n) => n);
    expect((await readNumbers()).sort((a, b) => a - b)).toEqual(expected);
    await broker().publisher.publish(chunkResult({ ...job, n: 450 }));
    while ((await factPosition(broker()))?.open !== 0);
    await results.stop();
    expect(await readNumbers()).toHaveLength(451);
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    const handle = async () => stop.abort(new Error('enough'));
    await expect(readAllFacts(broker(), { handle, log, signal: stop.signal })).rejects.toThrow('enough');
  });
});
