import { parseSpend, type Spend, STREAMS, spendSubject } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { Broker } from '../connection/broker.ts';
import { unlessMissing } from '../connection/js-api.ts';
import { allowedHeaders } from '../publish/headers.ts';
import { readPubAck } from '../publish/pub-ack.ts';

const ANSWER_MS = 2_000;

/** An engine's entry in the bucket `spend`, and its revision to write over: 0 while there is none. */
export interface KeptSpend {
  /** Undefined when there is none that can be read. */
  readonly spend: Spend | undefined;
  readonly revision: number;
}

/** What is kept just now. Throws `unavailable` when the broker does not answer. */
export async function readSpend({ api }: Broker, engine: string, limitMs = ANSWER_MS): Promise<KeptSpend> {
  const body = { last_by_subj: spendSubject(engine) };
  const found = await unlessMissing(
    api.call<{ message: { data?: string; seq: number } }>(`STREAM.MSG.GET.${STREAMS.spend}`, body, limitMs),
  );
  if (!found) return { spend: undefined, revision: 0 };
  const json = Buffer.from(found.message.data ?? '', 'base64').toString();
  return { spend: parseSpend(json), revision: found.message.seq };
}

/**
 * Writes over a revision and gives the new one; undefined when somebody else wrote since. Throws `unavailable` when nobody
 * knows whether it was written, also while there is no bucket.
 */
export async function writeSpend(
  { requests }: Broker,
  engine: string,
  spend: Spend,
  over: number,
): Promise<number | undefined> {
  const headers = allowedHeaders({ 'Nats-Expected-Last-Subject-Sequence': String(over) });
  const sent = { timeoutMs: ANSWER_MS, headers };
  const reply = await requests
    .request(spendSubject(engine), JSON.stringify(spend), sent)
    .catch((error: unknown) => {
      throw new CodedError('unavailable', `the bucket ${STREAMS.spend} does not answer`, { cause: error });
    });
  const ack = readPubAck(reply);
  if (ack.kind === 'try_again') throw new CodedError('unavailable', ack.detail);
  return ack.kind === 'stored' ? ack.seq : undefined;
}

/** Tells of every entry as it is written to the bucket `spend`, also of the few that came too late to be kept, until `stop`. */
export function watchSpend(
  { connection }: Broker,
  heard: (engine: string, spend: Spend) => void,
): { stop(): void } {
  const root = spendSubject('');
  const subscription = connection.subscribe(spendSubject('*'), {
    callback: (error, message) => {
      const spend = error ? undefined : parseSpend(message.string());
      if (spend) heard(message.subject.slice(root.length), spend);
    },
  });
  return { stop: () => subscription.unsubscribe() };
}
