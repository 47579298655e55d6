import { parseWorkerState, STREAMS, type WorkerState } from '@earshot/contracts';
import type { Broker } from '../connection/broker.ts';
import { unlessMissing } from '../connection/js-api.ts';

const FRESH_MS = 2_000;
const cache = new WeakMap<Broker, { readonly until: number; readonly states: Promise<WorkerState[]> }>();

/**
 * What the workers last told, sorted by id; each answer is kept for 2 s. Not complete right after a loss of the bucket:
 * empty without one. Throws `unavailable` when the broker does not answer.
 */
export function readWorkerStates(broker: Broker): Promise<WorkerState[]> {
  const now = performance.now();
  const known = cache.get(broker);
  if (known && known.until > now) return known.states;
  const states = readFreshStates(broker);
  cache.set(broker, { until: now + FRESH_MS, states });
  states.catch(() => cache.delete(broker));
  return states;
}

/** The same, read now. */
export async function readFreshStates(broker: Broker, limitMs = 5_000): Promise<WorkerState[]> {
  const subjects = await subjectsInBucket(broker, limitMs);
  const states = await Promise.all(subjects.map((subject) => lastState(broker, subject, limitMs)));
  return states.filter((state) => state !== undefined).sort((one, other) => (one.id < other.id ? -1 : 1));
}

async function subjectsInBucket({ api }: Broker, limitMs: number): Promise<string[]> {
  const body = { subjects_filter: '>' };
  const info = await unlessMissing(
    api.call<{ state: { subjects?: Record<string, number> } }>(
      `STREAM.INFO.${STREAMS.workers}`,
      body,
      limitMs,
    ),
  );
  return Object.keys(info?.state.subjects ?? {});
}

async function lastState(
  { api }: Broker,
  subject: string,
  limitMs: number,
): Promise<WorkerState | undefined> {
  const operation = `STREAM.MSG.GET.${STREAMS.workers}`;
  const body = { last_by_subj: subject };
  const found = await unlessMissing(api.call<{ message: { data?: string } }>(operation, body, limitMs));
  return parseWorkerState(Buffer.from(found?.message.data ?? '', 'base64').toString());
}
