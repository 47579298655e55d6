import { type JobLane, STREAMS } from '@earshot/contracts';
import type { Broker } from '../connection/broker.ts';
import { unlessMissing } from '../connection/js-api.ts';
import { readLevers } from '../levers/read-levers.ts';
import { findStream } from '../topology/lookup.ts';

/** The oldest job of a lane: where it is in the stream and when it was published. */
export interface OldestJob {
  readonly seq: number;
  readonly at: Date;
}

type Lane = Pick<JobLane, 'durable' | 'filter_subject'>;

/** By durable; empty lanes are left out. */
export type OldestJobs = ReadonlyMap<string, OldestJob>;

interface FoundJob extends OldestJob {
  readonly subject: string;
}

/**
 * The oldest job of each lane; one in work counts, as a job leaves the stream with its acknowledgement. Costs a few short
 * answers however many jobs there are: `before`, the answer of the last time, tells where to begin, and the broker is never
 * made to look from the first message on, for which it goes through every subject that matches (17 ms for 100,000).
 */
export async function oldestJobs(
  broker: Broker,
  lanes: readonly Lane[],
  before: OldestJobs = new Map(),
): Promise<OldestJobs> {
  const [consumers, stream] = await Promise.all([readLevers(broker), findStream(broker.api, STREAMS.jobs)]);
  const busy = new Set(
    consumers.filter(({ waiting, inFlight }) => waiting + inFlight > 0).map(({ durable }) => durable),
  );
  const first = stream?.state.first_seq ?? 0;
  const head = await find(broker, { seq: first });
  const found = await Promise.all(
    lanes
      .filter(({ durable }) => busy.has(durable))
      .map(
        async (lane) =>
          [lane.durable, await oldestOf(broker, lane, before.get(lane.durable), first, head)] as const,
      ),
  );
  return new Map(found.flatMap(([durable, job]) => (job ? [[durable, { seq: job.seq, at: job.at }]] : [])));
}

async function oldestOf(
  broker: Broker,
  { filter_subject }: Lane,
  before: OldestJob | undefined,
  first: number,
  head: FoundJob | undefined,
): Promise<OldestJob | undefined> {
  if (before && before.seq >= first && (await find(broker, { seq: before.seq }))) return before;
  const belongs = head?.subject.startsWith(filter_subject.slice(0, -1));
  if (belongs && head && head.seq > (before?.seq ?? 0)) return head;
  return find(broker, { seq: Math.max(before?.seq ?? 0, first) + 1, next_by_subj: filter_subject });
}

async function find(broker: Broker, body: object): Promise<FoundJob | undefined> {
  const operation = `STREAM.MSG.GET.${STREAMS.jobs}`;
  const found = await unlessMissing(
    broker.api.call<{ message: { seq: number; time: string; subject: string } }>(operation, body),
  );
  return found && { ...found.message, at: new Date(found.message.time) };
}
