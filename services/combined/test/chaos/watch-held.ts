import { DURABLES, LANES, STREAMS } from '@earshot/contracts';
import { connect } from 'nats';
import { type ChaosWorld, SLOTS, VENDOR_ENGINES } from './chaos-world.ts';
import type { Disturbance, Peak } from './history.ts';
import type { Nemesis } from './nemesis.ts';

const EVERY_MS = 250;
/** An idle worker asks all lanes at once and hands back what it has no slot for; and what is done is out until its ack is there. */
const SURPLUS = LANES.length + SLOTS;
/** A look takes milliseconds. One that takes so long tells that broker or machine stood still: beats come too late then. */
const STALL_MS = 1_000;

/** The largest excess of each engine, and when nothing moved. */
export interface Watched {
  readonly held: readonly Peak[];
  readonly stalls: readonly Disturbance[];
}

/**
 * Looks again and again how many messages of each engine are out, until `stop`. Who died may have held some until their
 * lease ended, and so may a connection that was cut.
 */
export function watchHeld(
  world: ChaosWorld,
  nemesis: Pick<Nemesis, 'cuts' | 'breaksBroker'>,
  ackWaitMs: number,
): { stop(): Watched } {
  const worst = new Map<string, Peak>();
  const stalls: Disturbance[] = [];
  const look = async () => {
    const windowMs = 3 * ackWaitMs;
    const workers = world.of('worker').reduce((sum, worker) => sum + worker.recent(windowMs), 0);
    const allowed = (workers + nemesis.cuts(windowMs)) * (SLOTS + SURPLUS);
    for (const [engine, peak] of await heldNow(world.broker.url)) {
      const before = worst.get(engine);
      if (before && peak - allowed <= before.peak - before.allowed) continue;
      worst.set(engine, { what: `jobs of ${engine} in hands`, peak, allowed });
    }
  };
  let looking = false;
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    const from = Date.now();
    const broken = nemesis.breaksBroker();
    // While the broker does not answer there is nothing to count.
    void look()
      .catch(() => undefined)
      .finally(() => {
        looking = false;
        const alone = !broken && !nemesis.breaksBroker();
        if (alone && Date.now() - from > STALL_MS) stalls.push({ thing: 'stall', from, to: Date.now() });
      });
  }, EVERY_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return { held: [...worst.values()], stalls };
    },
  };
}

async function heldNow(url: string): Promise<Map<string, number>> {
  const connection = await connect({ servers: url, timeout: 2_000, reconnect: false });
  try {
    const manager = await connection.jetstreamManager();
    const held = new Map<string, number>();
    for (const engine of VENDOR_ENGINES) {
      const infos = await Promise.all(
        LANES.map((lane) => manager.consumers.info(STREAMS.jobs, DURABLES.chunk(engine, lane))),
      );
      held.set(
        engine,
        infos.reduce((sum, { num_ack_pending }) => sum + num_ack_pending, 0),
      );
    }
    return held;
  } finally {
    await connection.close();
  }
}
