import { setTimeout as pause } from 'node:timers/promises';
import type { LookupCall } from '@earshot/engine';
import { askVendor } from './ask-vendor.ts';
import type { Answer } from './documents.ts';
import { keepName } from './keep-name.ts';
import type { LedgerTry } from './ledger-try.ts';
import { type Payment, refusal } from './payment.ts';

/**
 * Finds out what became of a call whose answer nobody wrote down: searches at once, then again until the vendor still does
 * not show it after all the time it may take. Only then has it never arrived, and only if the vendor itself said so.
 */
export async function lookUp(
  payment: Payment,
  call: LookupCall<unknown>,
  entry: LedgerTry,
  outputUri: string,
): Promise<Answer> {
  const { counts, times, sightings, signal } = payment;
  counts.looked_up += 1;
  const seenAt = sightings.firstSight(outputUri);
  for (;;) {
    const waitedMs = performance.now() - seenAt;
    const answer = (await entry.answer()) ?? (await search(payment, call, entry, outputUri, waitedMs));
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
): Promise<Answer | undefined> {
  const operation = await askVendor(payment, (signal) => call.find(outputUri, signal));
  if (operation !== undefined) return keepName(payment, call, entry, operation);
  if (waitedMs < payment.times.neverArrivedMs) return undefined;
  const ours = refusal(payment, 'never_arrived', `the vendor does not know ${outputUri}`);
  const answer = await entry.decideAnswer(ours);
  if (answer === ours) payment.counts.never_arrived += 1;
  return answer;
}
