import { beforeAll, describe, expect, it } from 'vitest';
import { aChunkJob, chunkResult, eventually, factsOf, testTopology, useBroker } from '../../test/support.ts';
import { applyTopology } from '../topology/apply.ts';

describe('reading facts', () => {
  const { broker } = useBroker();
  beforeAll(() => applyTopology(broker(), testTopology(['fake'])));

  it('gives the newest fact of a subject with wildcards, with its place in the stream', async () => {
    const job = aChunkJob();
    await broker().publisher.publish(chunkResult(job));
    await broker().publisher.publish(chunkResult({ ...job, n: 1 }));
    const last = await broker().facts.last(factsOf(job).any);
    expect(last).toMatchObject({ subject: factsOf(job).chunk(1, 1), event: { data: { n: 1 } } });
    expect(last?.time.getTime()).toBeGreaterThan(Date.now() - 10_000);
    const first = await broker().facts.last(factsOf(job).chunk(1, 0));
    expect(first?.seq).toBe((last?.seq ?? 0) - 1);
  });

  it('gives nothing where there is nothing', async () => {
    expect(await broker().facts.last(factsOf(aChunkJob()).any)).toBeUndefined();
  });

  it('refuses what is not JSON', async () => {
    const { any } = factsOf(aChunkJob());
    const subject = any.replace('>', 'accepted');
    await broker().requests.request(subject, 'not json', { timeoutMs: 2_000 });
    await expect(broker().facts.last(subject)).rejects.toMatchObject({ code: 'unreadable_message' });
  });
});

describe('the engine directory', () => {
  const { broker } = useBroker();

  it('cannot tell without the stream: an upload must not be refused for that', async () => {
    await expect(broker().engines.hasEngine('fake')).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('knows an engine by its consumers, and notices a new one within 2 s', async () => {
    await applyTopology(broker(), testTopology(['fake']));
    expect(await broker().engines.hasEngine('fake')).toBe(true);
    expect(await broker().engines.hasEngine('other')).toBe(false);
    expect(await broker().engines.hasEngine('no.dots')).toBe(false);
    await applyTopology(broker(), testTopology(['fake', 'other']));
    expect(await broker().engines.hasEngine('other')).toBe(false);
    await eventually('the new engine', () => broker().engines.hasEngine('other'), 4_000);
  });
});
