import { describe, expect, it } from 'vitest';
import { eventually, timePasses } from '../support.ts';
import { deliveryOf, useContract } from './broker.ts';

describe('broker contract: leases and acknowledgements', () => {
  const broker = useContract();

  it('L1: an ack carries no ownership; a late one removes the message under its new owner', async () => {
    const queue = await broker().queue(1);
    const first = await broker().take(queue);
    const second = await broker().take(queue);
    expect(deliveryOf(second)).toBe(2);
    await broker().answer(first, '+ACK');
    expect(await broker().count(queue)).toBe(0);
    await broker().answer(second, '+ACK');
  });

  it('L2: a beat after the deadline is answered, and the message is redelivered all the same', async () => {
    const queue = await broker().queue(1);
    const first = await broker().take(queue);
    await timePasses(1_150);
    await broker().answer(first, '+WPI');
    expect(deliveryOf(await broker().take(queue, 5e8))).toBe(2);
  });

  it('L3: a beat restarts the full ack_wait', async () => {
    const queue = await broker().queue(1);
    const message = await broker().take(queue);
    let lastBeat = 0;
    for (let beat = 0; beat < 5; beat += 1) {
      const { messages } = await broker().pull(queue, { batch: 1, expires: 4e8 });
      expect(messages).toHaveLength(0);
      lastBeat = performance.now();
      await broker().answer(message, '+WPI');
    }
    expect(deliveryOf(await broker().take(queue))).toBe(2);
    expect(performance.now() - lastBeat).toBeGreaterThan(900);
  });

  it('L4: a nak by a stale worker disturbs the owner', async () => {
    const queue = await broker().queue(1);
    const stale = await broker().take(queue);
    await broker().take(queue);
    await broker().answer(stale, '-NAK');
    expect(deliveryOf(await broker().take(queue, 3e8))).toBe(3);
  });

  it('L5: a delayed nak holds a place of max_ack_pending', async () => {
    const queue = await broker().queue(2, { max_ack_pending: 1, ack_wait: 10e9 });
    const message = await broker().take(queue);
    await broker().answer(message, '-NAK {"delay": 800000000}');
    const nakAt = performance.now();
    expect((await broker().take(queue)).string()).toBe('m0');
    expect(performance.now() - nakAt).toBeGreaterThan(700);
  });

  it('L17: an ack while the server is down is lost without an error', async () => {
    const queue = await broker().queue(1);
    const message = await broker().take(queue);
    await broker().server.kill();
    broker().nc.publish(message.reply, '+ACK');
    await broker().server.start();
    const again = await eventually('the message again', () => broker().take(queue));
    expect(again.string()).toBe('m0');
  });

  it('L19: ackAck() that timed out cannot be repeated: it sends nothing and says false', async () => {
    const queue = await broker().queue(1, { ack_wait: 10e9 });
    const consumer = await broker().nc.jetstream().consumers.get(queue, 'c');
    const message = await consumer.next({ expires: 2_000 });
    broker().server.pause();
    const first = await message?.ackAck({ timeout: 200 }).catch(() => 'failed');
    expect(first).not.toBe(true);
    const { outMsgs } = broker().nc.stats();
    expect(await message?.ackAck({ timeout: 200 })).toBe(false);
    expect(broker().nc.stats().outMsgs).toBe(outMsgs);
    broker().server.resume();
    await broker().nc.flush();
  });

  it('an old ack removes a message of a stream re-made from sequence 1, but not from first_seq = Unix ms', async () => {
    const remade = async (name: string, config: object) => {
      await broker().api(`STREAM.CREATE.${name}`, {
        name,
        subjects: [`${name}.>`],
        retention: 'workqueue',
        ...config,
      });
      await broker().consumer(name, { ack_wait: 10e9 });
      await broker().publish(`${name}.x`);
      return broker().take(name);
    };
    for (const [name, config, left] of [
      ['ones', () => ({}), 0],
      ['times', () => ({ first_seq: Date.now() }), 1],
    ] as const) {
      const old = await remade(name, config());
      await broker().api(`STREAM.DELETE.${name}`);
      await remade(name, config());
      await broker().answer(old, '+ACK');
      expect(await broker().count(name)).toBe(left);
    }
  });
});
