import type { LookupCall } from '@earshot/engine';
import type { LedgerTry } from './ledger-try.ts';
import type { Payment } from './payment.ts';

/** Ends an operation that nobody wants. Never rejects: at worst it runs to its end for nothing. */
export async function cancelOperation(
  { times, counts, log }: Payment,
  call: LookupCall<unknown>,
  entry: LedgerTry,
  operation: string,
): Promise<void> {
  try {
    await call.cancel(operation, AbortSignal.timeout(times.askMs));
    counts.canceled += 1;
  } catch (error) {
    log.warn({ try: entry.root, operation, detail: String(error) }, 'an operation was not canceled');
  }
}
