import { describe, expect, it } from 'vitest';
import { eventually } from '../support.ts';
import { ELSS, useContract } from './broker.ts';

describe('broker contract: schedules', () => {
  const broker = useContract();
  const at = (ms: number) => `@at ${new Date(Date.now() + ms).toISOString()}`;
  const jobs = () => broker().stream({ allow_msg_schedules: true });
  const schedule = (stream: string, name: string, ms: number, more: Record<string, string> = {}) =>
    broker().publish(`${stream}.later.${name}`, name, {
      'Nats-Schedule': at(ms),
      'Nats-Schedule-Target': `${stream}.now.${name}`,
      ...more,
    });
  const subjects = async (stream: string, filter: string) => {
    const info = await broker().api<{ state: { subjects?: Record<string, number> } }>(
      `STREAM.INFO.${stream}`,
      {
        subjects_filter: `${stream}.${filter}.>`,
      },
    );
    return info.state.subjects ?? {};
  };

  it('L22: fire at their time by plain headers, and their entry disappears', async () => {
    const stream = await jobs();
    const startedAt = Date.now();
    await schedule(stream, 'a', 1_000);
    await eventually('the message', async () => Object.keys(await subjects(stream, 'now')).length === 1);
    expect(Date.now() - startedAt).toBeGreaterThan(950);
    expect(await broker().count(stream)).toBe(1);
  });

  it('are keyed by their subject: a later one replaces an earlier one', async () => {
    const stream = await jobs();
    await schedule(stream, 'a', 400);
    await schedule(stream, 'a', 500);
    expect(await broker().count(stream)).toBe(1);
    await eventually('the message', async () => Object.keys(await subjects(stream, 'now')).length === 1);
    expect(await broker().count(stream)).toBe(1);
  });

  it('must aim into the same stream', async () => {
    const [stream, other] = [await jobs(), await jobs()];
    const aim = { 'Nats-Schedule-Target': `${other}.now.a` };
    expect((await schedule(stream, 'a', 300, aim)).error).toBeDefined();
  });

  it('are refused with discard new', async () => {
    await expect(
      broker().stream({ allow_msg_schedules: true, discard: 'new', max_bytes: 1_000_000 }),
    ).rejects.toThrow(/schedul/i);
  });

  it('do not copy the message id, so every firing counts', async () => {
    const stream = await jobs();
    await schedule(stream, 'a', 200, { 'Nats-Msg-Id': 'same' });
    await eventually('the message', async () => Object.keys(await subjects(stream, 'now')).length === 1);
    const { message } = await broker().api<{ message: { hdrs: string } }>(`STREAM.MSG.GET.${stream}`, {
      last_by_subj: `${stream}.now.a`,
    });
    expect(Buffer.from(message.hdrs, 'base64').toString()).not.toContain('Nats-Msg-Id');
  });

  it('are not seen by ELSS 0 on their target: a second copy gets in', async () => {
    const stream = await jobs();
    await schedule(stream, 'a', 400);
    expect((await broker().publish(`${stream}.now.a`, '', { [ELSS]: '0' })).error).toBeUndefined();
    await eventually('two copies', async () => (await subjects(stream, 'now'))[`${stream}.now.a`] === 2);
  });

  // Once each, but for one that a kill meets between its firing and the removal of its entry: that one fires again.
  it('all fire across kill -9 of the server, hardly any twice', async () => {
    const stream = await jobs();
    const names = Array.from({ length: 100 }, (_, index) => `n${index}`);
    await Promise.all(names.map((name, index) => schedule(stream, name, 300 + index * 15)));
    await broker().restart();
    await broker().restart();
    await eventually('all of them', async () => Object.keys(await subjects(stream, 'now')).length === 100);
    const fired = Object.values(await subjects(stream, 'now'));
    expect(fired.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(names.length + 2);
    expect(await subjects(stream, 'later')).toEqual({});
  });

  it('force rollups on: one header empties the stream', async () => {
    const stream = await jobs();
    for (const name of ['a', 'b', 'c']) await broker().publish(`${stream}.now.${name}`);
    expect(await broker().count(stream)).toBe(3);
    await broker().publish(`${stream}.now.d`, '', { 'Nats-Rollup': 'all' });
    expect(await broker().count(stream)).toBe(1);
  });
});
