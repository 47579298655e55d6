import { setTimeout as pause } from 'node:timers/promises';
import type { SeededRandom } from '@earshot/testkit';
import type { FaultWorld } from './fault-world.ts';
import { type LedgerCount, readLedger } from './paid-ledger.ts';

/** A call that cost money, as the vendor's own book has it; `key` is what it was made with. */
export interface PaidEntry {
  readonly key: string;
  readonly billed_ms: number;
}

/** What a vendor says of itself. */
export interface PaidBook {
  bill(): Promise<readonly PaidEntry[]>;
  /** Most calls that ever were under way at once. */
  peak(): Promise<number>;
}

/** How much there is to pay for, and how often whoever pays is killed. */
export interface PaidWorkOptions {
  readonly recordings: number;
  /** Length of each. */
  readonly seconds: number;
  readonly kills: number;
  readonly random: SeededRandom;
}

/** What came of it: the product's word in one place, the vendor's in the other. */
export interface PaidWork {
  readonly states: readonly string[];
  /** All chunks, each by transcript, plan and number. */
  readonly chunks: number;
  /** Paid calls of each chunk that any were made for. */
  readonly callsOf: ReadonlyMap<string, number>;
  readonly vendorMs: number;
  readonly usageMs: number;
  readonly ledger: LedgerCount;
  /** The highest attempt that any chunk took. */
  readonly attempts: number;
  readonly gaveUps: number;
  readonly peak: number;
}

/** Workers are killed one after another while recordings are paid for, at even shares of the work; then all is finished. */
export async function workPaid(
  world: FaultWorld,
  book: PaidBook,
  options: PaidWorkOptions,
): Promise<PaidWork> {
  const { recordings, seconds, kills, random } = options;
  const ids: string[] = [];
  for (let n = 0; n < recordings; n += 1) ids.push(await world.submit({ seconds }));
  const expected = recordings * Math.max(1, Math.floor(seconds / world.chunkSeconds));
  for (let kill = 1; kill <= kills; kill += 1) {
    await reach(book, (kill * expected) / (kills + 1), world, ids);
    await pause(random.below(500));
    await random.pick(world.workers.filter((worker) => worker.alive())).kill();
    await world.startWorker();
  }
  const transcripts = await Promise.all(ids.map((id) => world.finished(id, 900_000)));
  const bill = await book.bill();
  const callsOf = new Map<string, number>();
  for (const { key } of bill) callsOf.set(chunkOf(key), (callsOf.get(chunkOf(key)) ?? 0) + 1);
  const usage = await world.usage();
  return {
    states: transcripts.map(({ status }) => status),
    chunks: transcripts.reduce((sum, { progress }) => sum + (progress.chunks_total ?? 0), 0),
    callsOf,
    vendorMs: bill.reduce((sum, { billed_ms }) => sum + billed_ms, 0),
    usageMs: usage.total.billed_ms,
    ledger: await readLedger(world.storage),
    attempts: Math.max(...world.chunkRuns().map(({ attempt }) => attempt)),
    gaveUps: await world.gaveUps(),
    peak: await book.peak(),
  };
}

/** So many calls paid for, or nothing left to pay. */
async function reach(
  book: PaidBook,
  calls: number,
  world: FaultWorld,
  ids: readonly string[],
): Promise<void> {
  while ((await book.bill()).length < calls) {
    const states = await Promise.all(ids.map(async (id) => (await world.transcript(id)).status));
    if (states.every((status) => status === 'completed')) return;
    await pause(200);
  }
}

/** The ledger's path of a call ends in the chunk, the engine and the try; the vendor has it inside its output address. */
const CALL = /([0-9a-f-]{36})\/calls\/(\d+-\d+)-/;

function chunkOf(key: string): string {
  const [, id, chunk] = CALL.exec(key) ?? [];
  if (!id) throw new Error(`a paid call that no chunk can be found for: ${key}`);
  return `${id}/${chunk}`;
}
