import { STREAMS } from '@earshot/contracts';
import type { Broker } from '../connection/broker.ts';
import { unlessMissing } from '../connection/js-api.ts';
import { findConsumer } from '../topology/lookup.ts';

/** The end of a pause that only a resume ends: a year that the broker's arithmetic can still hold. */
export const PAUSED_FOR_EVER = new Date('2200-01-01T00:00:00Z');

/** Long enough for the request to arrive, too short to be noticed. */
const MOMENT_MS = 100;

/**
 * Lets a consumer hand out nothing until `until`, or until it is resumed: not even a job whose worker was lost. Jobs in
 * flight go on. False when there is no such consumer.
 */
export async function pauseConsumer(
  broker: Broker,
  durable: string,
  until = PAUSED_FOR_EVER,
): Promise<boolean> {
  const body = { pause_until: until.toISOString() };
  const paused = await unlessMissing(broker.api.call(`CONSUMER.PAUSE.${STREAMS.jobs}.${durable}`, body));
  return paused !== undefined;
}

/**
 * Lets a consumer hand out jobs again. The pause is given an end a moment from now by the broker's clock, because only
 * the end of a pause wakes the pulls that wait; taken back outright, it leaves them waiting until they expire.
 */
export async function resumeConsumer(broker: Broker, durable: string): Promise<boolean> {
  const found = await findConsumer(broker.api, STREAMS.jobs, durable);
  if (!found?.paused) return found !== undefined;
  return pauseConsumer(broker, durable, new Date(Date.parse(found.ts) + MOMENT_MS));
}
