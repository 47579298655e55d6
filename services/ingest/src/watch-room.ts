import type { Loop } from '@earshot/messaging';
import type { Logger } from '@earshot/service-kit';
import type { StoreRoom } from './store-room.ts';

const EVERY_MS = 2_000;

/** Pauses the loop while the store is nearly full. `stop` ends the watch; the loop is left as it is. */
export function watchRoom(loop: Loop, room: StoreRoom, log: Logger): { stop(): void } {
  let paused = false;
  const look = async () => {
    const full = !(await room.hasForAccepting());
    if (full === paused) return;
    paused = full;
    if (full) loop.pause();
    else loop.resume();
    log[full ? 'warn' : 'info']({}, full ? 'the store is nearly full: uploads wait' : 'uploads go on');
  };
  // While the broker does not answer nothing can be taken anyway.
  const timer = setInterval(() => void look().catch(() => undefined), EVERY_MS);
  return { stop: () => clearInterval(timer) };
}
