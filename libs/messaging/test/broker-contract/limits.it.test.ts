import { describe, expect, it } from 'vitest';
import { useContract } from './broker.ts';

const KILOBYTE = 'x'.repeat(1_000);

describe('broker contract: limits', () => {
  const broker = useContract({ maxFile: 4 * 1024 * 1024 });

  it('max_ack_pending 0 becomes 1000', async () => {
    const stream = await broker().stream();
    const { config } = (await broker().consumer(stream, { max_ack_pending: 0 })) as {
      config?: { max_ack_pending: number };
    };
    expect(config?.max_ack_pending).toBe(1000);
  });

  it('a dot in a durable name is refused', async () => {
    const stream = await broker().stream();
    const config = { durable_name: 'a.b', ack_policy: 'explicit' };
    const answer = await broker().api(`CONSUMER.DURABLE.CREATE.${stream}.a`, { stream_name: stream, config });
    expect(answer.error).toBeDefined();
  });

  it('a work queue takes one consumer per slice of its subjects', async () => {
    const stream = await broker().stream();
    await broker().consumer(stream, { filter_subject: `${stream}.a.>` });
    const config = { durable_name: 'd', ack_policy: 'explicit' };
    const second = await broker().api(`CONSUMER.CREATE.${stream}.d`, { stream_name: stream, config });
    expect(second.error).toBeDefined();
  });

  it('a message no consumer asks for waits silently', async () => {
    const stream = await broker().stream();
    await broker().consumer(stream, { filter_subject: `${stream}.known.>` });
    expect((await broker().publish(`${stream}.unknown.x`)).error).toBeUndefined();
    expect((await broker().pull(stream, { batch: 1, no_wait: true })).status).toMatch(/^404/);
    expect(await broker().count(stream)).toBe(1);
  });

  it('L15: discard new refuses clearly with 10077 and a purge heals it', async () => {
    const stream = await broker().stream({ retention: 'limits', discard: 'new', max_bytes: 5_000 });
    const answers = [];
    for (let index = 0; index < 8; index += 1)
      answers.push(await broker().publish(`${stream}.${index}`, KILOBYTE));
    const refused = answers.filter(({ error }) => error);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.error).toMatchObject({ err_code: 10077, description: 'maximum bytes exceeded' });
    await broker().api(`STREAM.PURGE.${stream}`);
    expect((await broker().publish(`${stream}.x`, KILOBYTE)).error).toBeUndefined();
  });

  it('L15: discard old on a work queue removes work that nobody acknowledged', async () => {
    const queue = await broker().queue(0, {}, { discard: 'old', max_bytes: 5_000 });
    for (let index = 0; index < 9; index += 1) {
      expect((await broker().publish(`${queue}.${index}`, KILOBYTE)).error).toBeUndefined();
    }
    expect(await broker().count(queue)).toBeLessThan(9);
  });

  it('facts on a discard-old stream that fills never reach their consumer', async () => {
    const facts = await broker().queue(0, {}, { retention: 'limits', discard: 'old', max_bytes: 5_000 });
    for (let index = 0; index < 9; index += 1) await broker().publish(`${facts}.${index}`, KILOBYTE);
    const { messages } = await broker().pull(facts, { batch: 9, no_wait: true });
    expect(messages.length).toBeLessThan(9);
    expect(messages.length).toBeGreaterThan(0);
  });

  it('L15: max_file reached is refused at once, also without a limit of the stream', async () => {
    const stream = await broker().stream({ retention: 'limits' });
    const half = 'x'.repeat(900_000);
    const answers = [];
    for (let index = 0; index < 6; index += 1)
      answers.push(await broker().publish(`${stream}.${index}`, half));
    expect(answers.at(-1)?.error?.err_code).toBe(10002);
    await broker().api(`STREAM.PURGE.${stream}`);
    expect((await broker().publish(`${stream}.x`, half)).error).toBeUndefined();
  });

  it('an event of 5 MB never reaches a consumer: the client refuses it', async () => {
    const stream = await broker().stream();
    expect(() => broker().nc.publish(`${stream}.x`, 'x'.repeat(5_000_000))).toThrow(/MAX_PAYLOAD/);
    expect(await broker().count(stream)).toBe(0);
  });

  it('the limit of the account is visible', async () => {
    const { limits } = await broker().api<{ limits: { max_storage: number } }>('INFO');
    expect(limits.max_storage).toBe(4 * 1024 * 1024);
  });
});

describe('broker contract: time to live', () => {
  const broker = useContract();

  it('is one for a whole bucket: the client has none for a key, and its stream refuses one', async () => {
    const bucket = await broker().nc.jetstream().views.kv('states', { ttl: 60_000 });
    await bucket.put('a', 'x', { ttl: 1_000 } as object);
    const { config } = await broker().api<{ config: object }>('STREAM.INFO.KV_states');
    expect(config).toMatchObject({ max_age: 60e9, allow_msg_ttl: false });
    const { message } = await broker().api<{ message: { hdrs?: string } }>('STREAM.MSG.GET.KV_states', {
      last_by_subj: '$KV.states.a',
    });
    expect(message.hdrs).toBeUndefined();
    const answer = await broker().publish('$KV.states.b', 'x', { 'Nats-TTL': '1s' });
    expect(answer.error?.description).toBe('per-message TTL is disabled');
  });
});

describe('broker contract: a server without a limit for the account', () => {
  const broker = useContract({ maxFile: 'unset' });

  it('shows -1, whatever max_file_store is', async () => {
    const { limits } = await broker().api<{ limits: { max_storage: number } }>('INFO');
    expect(limits.max_storage).toBe(-1);
  });
});
