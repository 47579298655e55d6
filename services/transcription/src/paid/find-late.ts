import type { LookupCall } from '@earshot/engine';
import { askVendor } from './ask-vendor.ts';
import { cancelOperation } from './cancel-operation.ts';
import type { LedgerTry } from './ledger-try.ts';
import type { Payment } from './payment.ts';

/**
 * Asks once more for a call that counts as never arrived, before the next one is made: its operation, if the vendor shows
 * it by now.
 */
export async function findLate(
  payment: Payment,
  call: LookupCall<unknown>,
  entry: LedgerTry,
  next: LedgerTry,
): Promise<string | undefined> {
  if (await next.read('intent')) return undefined;
  const operation = await find(payment, call, entry);
  if (operation !== undefined) payment.counts.found_late += 1;
  return operation;
}

/** The same when the next one was made and has given the result: then it is one too many, canceled and counted. */
export async function cancelLate(
  payment: Payment,
  call: LookupCall<unknown>,
  entry: LedgerTry,
): Promise<void> {
  const operation = await find(payment, call, entry).catch(() => undefined);
  if (operation === undefined) return;
  payment.counts.double += 1;
  payment.log.warn({ try: entry.root, operation }, 'a call that never arrived was made after all');
  await cancelOperation(payment, call, entry, operation);
}

async function find(
  payment: Payment,
  call: LookupCall<unknown>,
  entry: LedgerTry,
): Promise<string | undefined> {
  const intent = await entry.read('intent');
  return intent && askVendor(payment, (signal) => call.find(intent.output_uri, signal));
}
