import { setTimeout as pause } from 'node:timers/promises';
import type { PaidAnswer } from '@earshot/contracts';
import type { LookupCall } from '@earshot/engine';
import { askVendor } from './ask-vendor.ts';
import { keepName } from './keep-name.ts';
import type { LedgerTry } from './ledger-try.ts';
import { type Payment, refusal } from './payment.ts';

/** Why a try is over whose call the vendor does not know after all the time it may take. */
export const NEVER_ARRIVED = 'never_arrived';

/**
 * Finds out what became of a call whose answer nobody wrote down: searches at once, then again until the vendor still does
 * not show it after all the time it may take. Only then has it never arrived, and only if the vendor itself said so.
 */
export async function lookUp(
  payment: Payment,
  call: LookupCall<unknown>,
  entry: LedgerTry,
  outputUri: string,
): Promise<PaidAnswer> {
  const { counts, times, sightings, signal } = payment;
  counts.looked_up += 1;
  const seenAt = sightings.firstSight(outputUri);
  for (;;) {
    const waitedMs = performance.now() - seenAt;
    const answer = (await entry.read('answer')) ?? (await search(payment, call, entry, outputUri, waitedMs));
    if (answer) {
      sightings.forget(outputUri);
      return answer;
    }
    payment.heartbeat();
    await pause(times.lookEveryMs, undefined, { signal });
  }
}

async function search(
  payment: Payment,
  call: LookupCall<unknown>,
  entry: LedgerTry,
  outputUri: string,
  waitedMs: number,
): Promise<PaidAnswer | undefined> {
  const operation = await askVendor(payment, (signal) => call.find(outputUri, signal));
  if (operation !== undefined) return keepName(payment, call, entry, operation);
  if (waitedMs < payment.times.neverArrivedMs) return undefined;
  const ours = refusal(payment, NEVER_ARRIVED, `the vendor does not know ${outputUri}`);
  const answer = await entry.decide('answer', ours);
  if (answer === ours) payment.counts.never_arrived += 1;
  return answer;
}
