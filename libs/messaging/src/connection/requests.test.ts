import { describe, expect, it } from 'vitest';
import { eventually, useBroker } from '../../test/support.ts';

const timeoutMs = 5_000;

describe('requests', () => {
  const { broker, server } = useBroker();

  it('answer many at once, each with its own reply', async () => {
    const responder = broker().connection.subscribe('echo', { callback: (_, msg) => msg.respond(msg.data) });
    const numbers = Array.from({ length: 500 }, (_, index) => String(index));
    const replies = await Promise.all(
      numbers.map((text) => broker().requests.request('echo', text, { timeoutMs })),
    );
    expect(replies.map((reply) => reply.string())).toEqual(numbers);
    responder.unsubscribe();
  });

  it('fail long before their timeout when nobody listens', async () => {
    const startedAt = performance.now();
    const answer = broker().requests.request('nobody', '', { timeoutMs: 60_000 });
    await expect(answer).rejects.toMatchObject({ name: 'NoAnswer', reason: 'no_responders' });
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });

  it('fail after their timeout when somebody listens and is silent', async () => {
    const silent = broker().connection.subscribe('silent', { callback: () => undefined });
    const answer = broker().requests.request('silent', '', { timeoutMs: 100 });
    await expect(answer).rejects.toMatchObject({ reason: 'timeout' });
    silent.unsubscribe();
  });

  it('in flight fail at once when the connection goes, and new ones wait for it to come back', async () => {
    const silent = broker().connection.subscribe('hold', { callback: () => undefined });
    const inFlight = broker().requests.request('hold', '', { timeoutMs: 60_000 });
    const failed = expect(inFlight).rejects.toMatchObject({ reason: 'disconnected' });
    await server().kill();
    await failed;
    silent.unsubscribe();
    const tooShort = broker().requests.request('$JS.API.INFO', '', { timeoutMs: 50 });
    await expect(tooShort).rejects.toMatchObject({ reason: 'disconnected' });
    const patient = broker().requests.request('$JS.API.INFO', '', { timeoutMs: 20_000 });
    await server().start();
    await eventually('an answer', async () => (await patient).string().includes('account_info'));
  });
});
