import { type CodedError, toCodedError } from '@earshot/domain';
import type { PaidCall, PaidCallLedger, Refused } from '@earshot/engine';

/** A ledger whose calls are not made, and cost nothing, when `check` rejects just before one. */
export const checkedLedger = (ledger: PaidCallLedger, check: () => Promise<void>): PaidCallLedger => ({
  pay: <Result>(call: PaidCall<Result>) => ledger.pay(checked(call, check)),
});

function checked<Result>(call: PaidCall<Result>, check: () => Promise<void>): PaidCall<Result> {
  const first = async <Answer>(make: () => Promise<Answer>): Promise<Answer | Refused> => {
    const unfit = await check().then(
      () => undefined,
      (error: unknown): CodedError => toCodedError(error, 'storage_error'),
    );
    return unfit ? { refused: unfit } : make();
  };
  if (call.billing === 'blind')
    return { billing: 'blind', call: (key, signal) => first(() => call.call(key, signal)) };
  return {
    billing: 'lookup',
    slow: call.slow,
    ...(call.prepare ? { prepare: (root, signal) => call.prepare?.(root, signal) ?? Promise.resolve() } : {}),
    call: (outputUri, signal) => first(() => call.call(outputUri, signal)),
    find: (outputUri, signal) => call.find(outputUri, signal),
    poll: (operation, signal) => call.poll(operation, signal),
    cancel: (operation, signal) => call.cancel(operation, signal),
  };
}
