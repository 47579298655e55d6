import { type Broker, type ConsumerLevers, pauseConsumer, resumeConsumer, setCap } from '@earshot/messaging';
import type { PlannedLane } from './plan-lanes.ts';

/** Makes consumers as planned and touches none that is so already; one that is missing is left for later. */
export async function moveLevers(
  broker: Broker,
  plan: readonly PlannedLane[],
  found: ReadonlyMap<string, ConsumerLevers>,
): Promise<void> {
  for (const lane of plan) {
    const consumer = found.get(lane.durable);
    if (!consumer) continue;
    if (consumer.maxAckPending !== lane.cap) await setCap(broker, lane.durable, lane.cap);
    if (consumer.pausedUntil?.getTime() === lane.pausedUntil?.getTime()) continue;
    if (lane.pausedUntil) await pauseConsumer(broker, lane.durable, lane.pausedUntil);
    else await resumeConsumer(broker, lane.durable);
  }
}
