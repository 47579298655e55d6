import { setTimeout as pause } from 'node:timers/promises';
import type { PaidAnswer, PaidDone } from '@earshot/contracts';
import { CodedError, toCodedError } from '@earshot/domain';
import type { BlindCall } from '@earshot/engine';
import type { LedgerTry } from './ledger-try.ts';
import { UNCLEAR_REPEATS } from './paid-times.ts';
import { bill, claimTry, type Payment, paidResult, refusal } from './payment.ts';
import { refusedTry } from './quota-refused.ts';

/** Why a try of which nobody knows whether it was made is over. */
const UNCLEAR = 'unclear';

/**
 * The result of the first try that gave one. A call that nobody knows to be made cannot be looked up: it is counted and
 * made once more, and after that left to a person with `unclear_call`. Throws what a call failed with.
 */
export async function payBlind<Result>(payment: Payment, call: BlindCall<Result>): Promise<Result> {
  let unclear = 0;
  for (let number = 1; unclear <= UNCLEAR_REPEATS; number += 1) {
    payment.signal.throwIfAborted();
    const entry = payment.entry(number);
    const end =
      (await entry.read('done')) ?? (await entry.read('answer')) ?? (await claim(payment, call, entry));
    if ('result' in end) {
      bill(payment, end);
      return end.result as Result;
    }
    if ('refused' in end && end.refused === UNCLEAR && end.generation >= payment.generation) unclear += 1;
  }
  throw new CodedError('unclear_call', `nobody knows whether ${unclear} calls were made`);
}

async function claim(
  payment: Payment,
  call: BlindCall<unknown>,
  entry: LedgerTry,
): Promise<PaidAnswer | PaidDone> {
  const { intent, ours, callBy } = await claimTry(payment, entry);
  if (!ours) return waitFor(payment, entry, intent.output_uri);
  if (performance.now() <= callBy) return make(payment, call, entry, intent.output_uri);
  return entry.decide('answer', refusal(payment, 'not_called', 'too late to call after the claim'));
}

/** Not ended by the job's signal: an answer that is thrown away is paid for all the same. */
async function make(
  payment: Payment,
  call: BlindCall<unknown>,
  entry: LedgerTry,
  key: string,
): Promise<PaidDone> {
  payment.counts.calls += 1;
  const made = await call
    .call(key, AbortSignal.timeout(payment.deadlineMs))
    .catch((error: unknown) => ({ lost: toCodedError(error, 'engine_error') }));
  if ('result' in made) return keepResult(payment, entry, paidResult(payment, made));
  if ('refused' in made) {
    await entry.decide('answer', refusal(payment, made.refused.code, made.refused.message));
    await payment.release();
    throw refusedTry(made.refused, entry.number);
  }
  await giveUpOn(payment, entry, made.lost.message);
  throw made.lost;
}

/** A result that could not be written down still serves this run. */
async function keepResult(payment: Payment, entry: LedgerTry, done: PaidDone): Promise<PaidDone> {
  try {
    await entry.decide('done', done);
    if (await entry.read('answer')) payment.counts.double += 1;
  } catch (error) {
    payment.log.warn({ try: entry.root, detail: String(error) }, 'the result of a paid call was not stored');
  }
  return done;
}

/** Somebody else is calling, or was when they died: waits as long as their call may take. */
async function waitFor(payment: Payment, entry: LedgerTry, key: string): Promise<PaidAnswer | PaidDone> {
  const { times, sightings, signal } = payment;
  const waitMs = times.unclearMs ?? times.callWithinMs + payment.deadlineMs;
  const until = sightings.firstSight(key) + waitMs;
  for (;;) {
    const late = performance.now() > until;
    const end = (await entry.read('done')) ?? (await entry.read('answer'));
    if (end ?? late) {
      sightings.forget(key);
      return end ?? giveUpOn(payment, entry, 'whoever made the call is gone');
    }
    await pause(times.pollEveryMs, undefined, { signal });
  }
}

async function giveUpOn(payment: Payment, entry: LedgerTry, detail: string): Promise<PaidAnswer> {
  const ours = refusal(payment, UNCLEAR, detail);
  const answer = await entry.decide('answer', ours);
  if (answer !== ours) return answer;
  payment.counts.unclear += 1;
  payment.log.warn({ try: entry.root, detail }, 'nobody knows whether a paid call was made');
  return answer;
}
