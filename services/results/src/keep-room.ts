import { DURABLES, STREAMS } from '@earshot/contracts';
import { type Broker, makeRoom } from '@earshot/messaging';
import type { Logger } from '@earshot/service-kit';

const EVERY_MS = 1_000;
const THRESHOLD = 0.6;

/**
 * Removes the oldest facts that results has stored once their stream is 60 % full: a full stream refuses new facts, so
 * that none is ever discarded unread. Several replicas may do so at once.
 */
export function keepRoom(broker: Broker, log: Logger): { stop(): void } {
  const look = async () => {
    const removed = await makeRoom(broker, {
      stream: STREAMS.transcripts,
      durable: DURABLES.results,
      threshold: THRESHOLD,
    });
    if (removed > 0) log.info({ removed }, 'removed stored facts to make room for new ones');
  };
  // While the broker does not answer there is nothing to make room for.
  const timer = setInterval(() => void look().catch(() => undefined), EVERY_MS);
  return { stop: () => clearInterval(timer) };
}
