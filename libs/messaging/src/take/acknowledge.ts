import { setTimeout as pause } from 'node:timers/promises';
import type { Broker } from '../connection/broker.ts';
import { NoAnswer } from '../connection/no-answer.ts';
import type { Requests } from '../connection/requests.ts';

/** The words a consumer understands on a message's reply subject. */
export const ACK = '+ACK';
export const NAK = '-NAK';
export const IN_PROGRESS = '+WPI';

/** Asks for redelivery after a delay; the message keeps its place in `max_ack_pending` until then. */
export const nakAfter = (ms: number) => `${NAK} ${JSON.stringify({ delay: Math.round(ms) * 1_000_000 })}`;

/**
 * Sends `words` as a request and repeats the same bytes until the broker answers or `limitMs` have passed. Returns
 * whether it answered, which says that it heard us, not that the message was still ours. (The client's own `ackAck`
 * marks the message as done before it sends, so a second call does nothing.)
 */
export async function answerConfirmed(
  requests: Requests,
  reply: string,
  words: string,
  limitMs: number,
): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const timeoutMs = Math.min(2_000, Math.max(1, deadline - performance.now()));
    try {
      await requests.request(reply, words, { timeoutMs });
      return true;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      if (error.reason === 'closed' || performance.now() + 100 >= deadline) return false;
      await pause(100);
    }
  }
}

/** Sends `words` without waiting for an answer; when they are lost the broker brings the message back after ack_wait. */
export function answerPlainly(broker: Broker, reply: string, words: string): void {
  const { connection, link } = broker;
  // The client throws while it drains, and drops what is written while it is not connected.
  if (link.connected && !connection.isDraining()) connection.publish(reply, words);
}
