import { ConsumerEvents, type ConsumerMessages, connect, createInbox, type Msg } from 'nats';
import { describe, expect, it } from 'vitest';
import { eventually, timePasses } from '../support.ts';
import { deliveryOf, useContract } from './broker.ts';

describe('broker contract: pulling', () => {
  const broker = useContract();
  /** Resolves once the server holds a pull for the queue. */
  const openPull = (queue: string) =>
    eventually('an open pull', async () => {
      const info = await broker().api<{ num_waiting: number }>(`CONSUMER.INFO.${queue}.c`);
      return info.num_waiting === 1;
    });

  it('an empty no_wait pull answers 404 in milliseconds', async () => {
    const queue = await broker().queue(0);
    const startedAt = performance.now();
    for (let count = 0; count < 20; count += 1) {
      expect((await broker().pull(queue, { batch: 1, no_wait: true })).status).toBe('404 No Messages');
    }
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  it('a no_wait pull for more than there is brings what there is, then 404', async () => {
    const queue = await broker().queue(2);
    const { messages, status } = await broker().pull(queue, { batch: 5, no_wait: true });
    expect(messages.map((message) => message.string())).toEqual(['m0', 'm1']);
    expect(status).toBe('404 No Messages');
  });

  it('a no_wait pull at max_ack_pending with messages waiting gets no answer, and a message once a place is free', async () => {
    const queue = await broker().queue(2, { max_ack_pending: 1, ack_wait: 10e9 });
    const first = await broker().take(queue);
    const hanging = broker().pull(queue, { batch: 1, no_wait: true });
    expect(await Promise.race([hanging, timePasses(300).then(() => 'silence')])).toBe('silence');
    await broker().answer(first, '+ACK');
    expect((await hanging).messages[0]?.string()).toBe('m1');
  });

  it('a pull whose inbox is gone is skipped: nothing is stranded in it', async () => {
    const queue = await broker().queue(0, { ack_wait: 10e9 });
    const inbox = createInbox();
    const subscription = broker().nc.subscribe(inbox, { callback: () => undefined });
    broker().nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${queue}.c`, '{"batch":1,"expires":5000000000}', {
      reply: inbox,
    });
    await broker().nc.flush();
    await subscription.drain();
    await broker().publish(`${queue}.x`);
    expect(deliveryOf(await broker().take(queue, 5e8))).toBe(1);
  });

  it('a pull abandoned by request() swallows the next message until ack_wait', async () => {
    const queue = await broker().queue(0);
    const pull = broker().nc.request(
      `$JS.API.CONSUMER.MSG.NEXT.${queue}.c`,
      '{"batch":1,"expires":3000000000}',
      {
        timeout: 100,
      },
    );
    await expect(pull).rejects.toThrow(/TIMEOUT/);
    const publishedAt = performance.now();
    await broker().publish(`${queue}.x`);
    expect(deliveryOf(await broker().take(queue))).toBe(2);
    expect(performance.now() - publishedAt).toBeGreaterThan(800);
  });

  it('a pulled message carries its own subject, an acknowledgement that of its inbox: only these can share one', async () => {
    const queue = await broker().queue(2);
    const inbox = createInbox();
    const came: Msg[] = [];
    const subscription = broker().nc.subscribe(`${inbox}.*`, {
      callback: (_, message) => void came.push(message),
    });
    const pull = `$JS.API.CONSUMER.MSG.NEXT.${queue}.c`;
    for (const token of ['a', 'b']) broker().nc.publish(pull, '{"batch":1}', { reply: `${inbox}.${token}` });
    broker().nc.publish(`${queue}.x`, '', { reply: `${inbox}.c` });
    await eventually('two messages and an acknowledgement', () => came.length === 3);
    expect(came.map(({ subject }) => subject).sort()).toEqual(
      [`${queue}.0`, `${queue}.1`, `${inbox}.c`].sort(),
    );
    subscription.unsubscribe();
  });

  it('next() cannot be cancelled: one that nobody waits for any more takes the next message away', async () => {
    const queue = await broker().queue(0);
    const consumer = await broker().nc.jetstream().consumers.get(queue, 'c');
    const abandoned = consumer.next({ expires: 5_000 });
    await openPull(queue);
    await broker().publish(`${queue}.x`);
    expect(deliveryOf(await broker().take(queue))).toBe(2);
    expect((await abandoned)?.info.deliveryCount).toBe(1);
  });

  it('fetch(1) on several lanes strands what reaches a lane while it is closed, until ack_wait', async () => {
    const strands = async () => {
      const lanes = await Promise.all([1, 2, 3].map(() => broker().queue(0)));
      const open = await Promise.all(
        lanes.map(async (lane) => {
          const consumer = await broker().nc.jetstream().consumers.get(lane, 'c');
          const messages = await consumer.fetch({ max_messages: 1, expires: 5_000 });
          return { messages, first: messages[Symbol.asyncIterator]().next() };
        }),
      );
      for (const lane of lanes) await openPull(lane);
      for (const lane of lanes) broker().nc.publish(`${lane}.x`);
      await broker().nc.flush();
      // A busy loop: what the broker sends meanwhile stays unread in the socket, and stopping drops it.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
      // Not close(): it waits for whoever has a message to ask for the next one.
      for (const { messages } of open) messages.stop();
      const handedOver = await Promise.all(open.map(async ({ first }) => (await first).done !== true));
      const deliveries = await Promise.all(lanes.map(async (lane) => deliveryOf(await broker().take(lane))));
      return deliveries.some((delivery, at) => delivery === 2 && !handedOver[at]);
    };
    // Where the broker is quick, all may be read before the loop.
    await eventually('a message in nobody’s hands', strands, 30_000);
  });

  it('next() refuses to wait less than a second', async () => {
    const queue = await broker().queue(0);
    const consumer = await broker().nc.jetstream().consumers.get(queue, 'c');
    expect(() => consumer.next({ expires: 500 })).toThrow(/1000/);
  });

  it('L16: consume() takes more and more while its loop is busy', async () => {
    const queue = await broker().queue(30, { ack_wait: 30e9 });
    const consumer = await broker().nc.jetstream().consumers.get(queue, 'c');
    const messages: ConsumerMessages = await consumer.consume({ max_messages: 1, idle_heartbeat: 500 });
    const inFlight = async () =>
      (await broker().api<{ num_ack_pending: number }>(`CONSUMER.INFO.${queue}.c`)).num_ack_pending;
    let resets = 0;
    void (async () => {
      for await (const { type } of await messages.status()) {
        if (type === ConsumerEvents.HeartbeatsMissed) resets += 1;
      }
    })();
    // Not `for await`: leaving that loop stops the consumer, and with it the pulls that are to be seen.
    const iterator = messages[Symbol.asyncIterator]();
    await iterator.next();
    // Busy for as long as it takes to miss some heartbeats; each queues a pull for when the loop comes back.
    await eventually('missed heartbeats', () => resets >= 6, 30_000);
    expect(await inFlight()).toBe(1);
    await iterator.next();
    await eventually('over-pulling', async () => (await inFlight()) >= 4);
    messages.stop();
  });

  it('a missing stream or consumer answers 503 in milliseconds: a hot loop unless handled', async () => {
    const { status } = await broker().pull('missing', { batch: 1, expires: 60e9 });
    expect(status).toMatch(/^503/);
  });

  it('a throw inside a subscription callback ends the client’s reader', async () => {
    const own = await connect({ servers: broker().server.url, reconnect: false });
    let sprung = false;
    own.subscribe('trap', {
      callback: () => {
        sprung = true;
        throw new Error('in the callback');
      },
    });
    await own.flush();
    broker().nc.publish('trap');
    await eventually('the callback', () => sprung);
    const answer = own.flush().then(
      () => 'alive',
      () => 'dead',
    );
    const silence = timePasses(500).then(() => 'silence');
    expect(await Promise.race([answer, silence])).not.toBe('alive');
    void own.close();
  });

  it('a watch of a key-value bucket stays silent, without an error, after the bucket was re-made', async () => {
    const views = broker().nc.jetstream().views;
    const bucket = await views.kv('workers');
    const seen: string[] = [];
    const watch = await bucket.watch();
    void (async () => {
      for await (const entry of watch) seen.push(entry.string());
    })();
    await bucket.put('a', '1');
    await eventually('the first value', () => seen.length === 1);
    await bucket.destroy();
    const again = await views.kv('workers');
    await again.put('a', '2');
    const fresh = await again.watch();
    for await (const entry of fresh) {
      expect(entry.string()).toBe('2');
      break;
    }
    await timePasses(1_000);
    expect(seen).toEqual(['1']);
  });
});
