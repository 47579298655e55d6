import type { EngineCap, LaneState, Lanes } from '@earshot/contracts';
import type { ConsumerLevers } from '@earshot/messaging';
import type { Quota } from './decide-quota.ts';
import type { PlannedLane } from './plan-lanes.ts';

const isoOrNull = (ms: number | null | undefined) => (ms == null ? null : new Date(ms).toISOString());

/** A lane as the API shows it. */
export const laneDocument = (lane: PlannedLane, consumer: ConsumerLevers): LaneState => ({
  durable: lane.durable,
  stage: lane.stage,
  engine: lane.engine,
  lane: lane.lane,
  waiting: consumer.waiting,
  in_flight: consumer.inFlight,
  max_ack_pending: consumer.maxAckPending,
  paused: consumer.paused,
});

/** An engine's cap as the API shows it; `lanes` are those of the engine. */
export function engineDocument(
  engine: string,
  lanes: readonly PlannedLane[],
  quota: Quota | undefined,
): EngineCap {
  const paused = quota?.pausedUntil != null && quota.pausedUntil > Date.now();
  const total = (of: (lane: PlannedLane) => number) => lanes.reduce((sum, lane) => sum + of(lane), 0);
  return {
    engine,
    max_ack_pending: total(({ asked }) => asked),
    effective: total(({ cap }) => cap),
    lowered_at: isoOrNull(quota?.loweredAt),
    paused_until: paused ? isoOrNull(quota.pausedUntil) : null,
  };
}

/** All lanes that the broker has, and all engines. */
export function lanesDocument(
  plan: readonly PlannedLane[],
  found: ReadonlyMap<string, ConsumerLevers>,
  quotas: ReadonlyMap<string, Quota>,
): Lanes {
  const lanes = plan.flatMap((lane) => {
    const consumer = found.get(lane.durable);
    return consumer ? [laneDocument(lane, consumer)] : [];
  });
  const names = [...new Set(plan.flatMap(({ engine }) => engine ?? []))];
  const engines = names.map((name) =>
    engineDocument(
      name,
      plan.filter(({ engine }) => engine === name),
      quotas.get(name),
    ),
  );
  return { lanes, engines };
}
