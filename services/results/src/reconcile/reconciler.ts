import type { Accepted, Topology } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { applyTopology, type Broker, streamBirths } from '@earshot/messaging';
import type { Logger } from '@earshot/service-kit';
import { acceptMissing, type RoundDeps } from '../actions/prepare-round.ts';
import type { Transaction } from '../store/database.ts';
import { lockTranscripts, storeAccepted } from '../store/sql/transcripts.ts';
import { idleTranscripts, pageOfUnfinished, type UnfinishedKey } from '../store/sql/unfinished.ts';
import { withLease } from '../store/with-lease.ts';
import { republish } from './republish.ts';
import { lookForLoss, rememberStreams } from './watch-streams.ts';

export interface ReconcilerOptions extends RoundDeps {
  readonly broker: Broker;
  readonly log: Logger;
  /** What streams and consumers the installation should have. */
  readonly wanted: () => Promise<Topology>;
  /** Accepts again what has a manifest and no transcript; rejects when `goOn` says to go no further. */
  readonly recover: (goOn: () => Promise<boolean>) => Promise<void>;
  /** When to look first, default after 2 s, and how often from then on, default every 30 s. */
  readonly firstMs?: number;
  readonly everyMs?: number;
  /** How long a transcript must not have moved before its jobs are looked for; default 60 s. */
  readonly idleMs?: number;
  /** How long a look waits for facts that are not stored yet; default 10 s. */
  readonly catchUpMs?: number;
}

/** Brings back work that the broker lost. */
export interface Reconciler {
  /** One look, by one replica at a time; resolves to the number of jobs that were published again. */
  look(): Promise<number>;
  /** Ends after the page in work. Idempotent. */
  close(): Promise<void>;
}

async function keepAccepted(tx: Transaction, accepted: readonly Accepted[]): Promise<void> {
  await lockTranscripts(
    tx,
    accepted.map(({ transcript_id }) => transcript_id),
  );
  await storeAccepted(tx, accepted);
}

const PAGE = 500;
const LEASE = { name: 'reconcile', ttlMs: 60_000 };
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** Starts to look for unfinished transcripts that nobody works on, and for streams that lost their messages. */
export function startReconciler(options: ReconcilerOptions): Reconciler {
  const { database, broker, log, idleMs = 60_000, catchUpMs = 10_000 } = options;
  const holder = crypto.randomUUID();
  const deps = { database, broker, publisher: broker.publisher, catchUpMs };
  let closed = false;
  let running: Promise<unknown> | undefined;

  async function bringBack(keys: readonly UnfinishedKey[], idleFor: number): Promise<number> {
    if (keys.length === 0) return 0;
    const ids = keys.map(({ id }) => id);
    const { accepted } = await acceptMissing(options, ids);
    if (accepted.length > 0) await database.write((tx) => keepAccepted(tx, accepted));
    return republish(deps, keys, idleFor);
  }

  const idle = async () =>
    bringBack(await database.read((tx) => idleTranscripts(tx, { idleMs, limit: PAGE })), idleMs);

  async function everything(renew: () => Promise<boolean>): Promise<number> {
    let total = 0;
    for (let after = FIRST_ID; ; ) {
      const page: UnfinishedKey[] = await database.read((tx) => pageOfUnfinished(tx, { after, limit: PAGE }));
      total += await bringBack(page, 0);
      if (page.length < PAGE) return total;
      if (closed || !(await renew())) throw new CodedError('unavailable', 'another replica goes on');
      after = page.at(-1)?.id ?? after;
    }
  }

  async function makeGood(loss: string, wanted: Topology, renew: () => Promise<boolean>): Promise<number> {
    log.error({ loss }, 'messages were lost; all unfinished work is published again');
    await applyTopology(broker, wanted);
    const births = await streamBirths(broker, wanted);
    const republished = await everything(renew);
    await options.recover(async () => !closed && (await renew()));
    await rememberStreams(database, births);
    return republished;
  }

  async function lookUnderLease(renew: () => Promise<boolean>): Promise<number> {
    const wanted = await options.wanted();
    const { loss, births } = await lookForLoss(database, broker, wanted);
    if (loss === undefined) await rememberStreams(database, births);
    const republished = loss === undefined ? await idle() : await makeGood(loss, wanted, renew);
    if (republished > 0) log.warn({ republished }, 'jobs nobody had were published again');
    return republished;
  }

  const look = async () =>
    (await withLease(database, { ...LEASE, holder }, ({ renew }) => lookUnderLease(renew))) ?? 0;
  // Bringing everything back may take minutes; a second look beside it would only begin it again.
  const tick = () => {
    running ??= look()
      .catch((err: unknown) => log.warn({ err }, 'could not look for lost work'))
      .finally(() => {
        running = undefined;
      });
  };
  const first = setTimeout(tick, options.firstMs ?? 2_000);
  const timer = setInterval(tick, options.everyMs ?? 30_000);

  return {
    look,
    close: async () => {
      closed = true;
      clearTimeout(first);
      clearInterval(timer);
      await running;
    },
  };
}
