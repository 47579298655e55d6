import type { Msg } from 'nats';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NoAnswer } from '../connection/no-answer.ts';
import type { RequestOptions, Requests } from '../connection/requests.ts';
import { Lease } from './lease.ts';

const ACK_WAIT_MS = 15_000;
const GUARD_MS = 2_500;

/** A lease on a message whose pull was sent `pulledMsAgo`, with a broker that answers each beat after `answerMs`. */
function lease({ pulledMsAgo = 0, answerMs = () => 0 }: { pulledMsAgo?: number; answerMs?: () => number }) {
  const start = performance.now();
  const beats: number[] = [];
  const lost: number[] = [];
  const request = (subject: string, _: unknown, { timeoutMs }: RequestOptions) =>
    new Promise<Msg>((resolve, reject) => {
      beats.push(performance.now() - start);
      const tookMs = answerMs();
      if (tookMs < timeoutMs) setTimeout(() => resolve({} as Msg), tookMs);
      else setTimeout(() => reject(new NoAnswer('timeout', subject)), timeoutMs);
    });
  const held = new Lease({
    ...{
      requests: { request } as unknown as Requests,
      reply: 'reply',
      ackWaitMs: ACK_WAIT_MS,
      guardMs: GUARD_MS,
    },
    ...{ since: start - pulledMsAgo, onBeat: () => undefined },
    onLost: () => void lost.push(performance.now() - start),
  });
  return { held, beats, lost };
}

describe('a lease', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('beats every third of ack_wait, and not after its end', async () => {
    const { held, beats, lost } = lease({});
    await vi.advanceTimersByTimeAsync(21_000);
    held.end();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(beats).toEqual([5_000, 10_000, 15_000, 20_000]);
    expect(lost).toEqual([]);
  });

  it('of a message that its pull waited for has its first beat as much sooner', async () => {
    const { beats } = lease({ pulledMsAgo: 4_900 });
    await vi.advanceTimersByTimeAsync(6_000);
    expect(beats).toEqual([100, 5_100]);
  });

  it('is kept by an answer that comes after the next beat', async () => {
    let answerMs = 7_000;
    const { beats, lost } = lease({ answerMs: () => answerMs });
    await vi.advanceTimersByTimeAsync(10_000);
    answerMs = 0;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(beats.slice(0, 3)).toEqual([5_000, 10_000, 15_000]);
    expect(lost).toEqual([]);
  });

  it('is lost when ack_wait less the guard has passed since the last beat that was answered was sent', async () => {
    let answerMs = 0;
    const { held, lost } = lease({ answerMs: () => answerMs });
    await vi.advanceTimersByTimeAsync(5_500);
    answerMs = Number.POSITIVE_INFINITY;
    await vi.advanceTimersByTimeAsync(11_990);
    expect([held.held(), lost]).toEqual([true, []]);
    await vi.advanceTimersByTimeAsync(20);
    expect(held.held()).toBe(false);
    expect(lost).toHaveLength(1);
  });
});
