import { randomUUID } from 'node:crypto';
import type { PaidAnswer, PaidDone, PaidIntent } from '@earshot/contracts';
import { type CodedError, errorTable, toCodedError } from '@earshot/domain';
import type { Billed } from '@earshot/engine';
import type { Log } from '@earshot/messaging';
import type { LedgerTry } from './ledger-try.ts';
import type { PaidCallCounts } from './paid-call-counts.ts';
import type { PaidTimes } from './paid-times.ts';
import type { Sightings } from './sightings.ts';

/** One run's way to the result of a chunk's paid call. */
export interface Payment {
  /** The tries of this chunk and engine, counted from 1. */
  readonly entry: (tryNumber: number) => LedgerTry;
  readonly generation: number;
  readonly worker: string;
  /** Aborted when the job is taken away; calls under way are written down first. */
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
  /** All the sound of the chunk, channel by channel: what a call is taken to cost unless the vendor tells. */
  readonly audioMs: number;
  /** Called before a call is made; throws when it must not be made now. Repeats change nothing. */
  readonly reserve: () => Promise<void>;
  /** Called when the vendor refused the call. Never rejects. */
  readonly release: () => Promise<void>;
  /** Called with what each try that is over has cost, once for each that this run met. */
  readonly onBilled: (ms: number) => void;
  /** Called whenever the vendor answered. */
  readonly heartbeat: () => void;
  readonly times: PaidTimes;
  readonly counts: PaidCallCounts;
  readonly sightings: Sightings;
  readonly log: Log;
}

/** Ends a try without a result, so that the next one may be made. */
export function refusal(payment: Payment, refused: string, detail: string): PaidAnswer {
  return { refused, detail, generation: payment.generation };
}

/** A result with what it cost, as it is kept. */
export const paidResult = ({ audioMs }: Payment, { result, billed_ms }: { result: unknown } & Billed) => ({
  result,
  billed_ms: billed_ms ?? audioMs,
});

/** Tells what a try that is over has cost. Tries of older versions do not say; a failure then cost nothing. */
export function bill({ audioMs, onBilled }: Payment, done: PaidDone): void {
  onBilled(done.billed_ms ?? ('result' in done ? audioMs : 0));
}

/**
 * Claims a try, when the budget allows it and all is prepared. Somebody else's is gone on with whatever the budget says. The
 * call is ours alone to make when `ours`, and only until `callBy` on the monotonic clock.
 */
export async function claimTry(
  { times, worker, reserve }: Payment,
  entry: LedgerTry,
  prepare: () => Promise<void> = async () => {},
): Promise<{ intent: PaidIntent; ours: boolean; callBy: number }> {
  try {
    await reserve();
  } catch (error) {
    const intent = await entry.read('intent');
    if (!intent) throw error;
    return { intent, ours: false, callBy: 0 };
  }
  await prepare();
  const callBy = performance.now() + times.callWithinMs;
  const output_uri = `${entry.root}/${randomUUID()}`;
  const intent = await entry.decide('intent', { output_uri, worker, created_at: new Date().toISOString() });
  // A create that was repeated after a lost answer finds its own intent.
  return { intent, ours: intent.output_uri === output_uri, callBy };
}

/**
 * What a try that has ended means: its result, or undefined when another try is due. Throws the error of one that would
 * fail again, unless an earlier generation gave up on it.
 */
export function endOf(done: PaidDone, generation: number): { result: unknown } | undefined {
  if ('result' in done) return done;
  const error = errorOf(done);
  const final = errorTable[error.code].class === 'permanent' && done.generation >= generation;
  if (final) throw error;
  return undefined;
}

export const errorOf = ({ error, detail }: Extract<PaidDone, { error: string }>): CodedError =>
  toCodedError({ code: error, message: detail }, 'engine_error');
