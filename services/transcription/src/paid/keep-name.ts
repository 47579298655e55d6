import type { PaidAnswer } from '@earshot/contracts';
import type { LookupCall } from '@earshot/engine';
import { cancelOperation } from './cancel-operation.ts';
import type { LedgerTry } from './ledger-try.ts';
import type { Payment } from './payment.ts';

/**
 * Writes the name of an operation into the ledger. When something else is written there already, the operation is one too
 * many: it is canceled and counted, and what is written holds.
 */
export async function keepName(
  payment: Payment,
  call: LookupCall<unknown>,
  entry: LedgerTry,
  operation: string,
): Promise<PaidAnswer> {
  const answer = await entry.decide('answer', { operation });
  if ('operation' in answer && answer.operation === operation) return answer;
  payment.counts.double += 1;
  payment.log.warn({ try: entry.root, operation }, 'a paid call was made twice; the second one is canceled');
  await cancelOperation(payment, call, entry, operation);
  return answer;
}
