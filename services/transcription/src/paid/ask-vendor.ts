import { setTimeout as pause } from 'node:timers/promises';
import { CodedError, toCodedError } from '@earshot/domain';
import type { Payment } from './payment.ts';

const ASK_TIMES = 3;

/**
 * Asks the vendor something that costs nothing, three times at most. What it throws in the end is never a failed attempt:
 * the call is made and paid for, and only the vendor's word on it is missing.
 */
export async function askVendor<T>(
  { signal, times }: Payment,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  for (let asked = 1; ; asked += 1) {
    try {
      return await ask(AbortSignal.any([signal, AbortSignal.timeout(times.askMs)]));
    } catch (error) {
      signal.throwIfAborted();
      const coded = toCodedError(error);
      if (coded.code === 'quota_exceeded') throw coded;
      if (asked === ASK_TIMES) throw absent(coded);
    }
    await pause(times.pollEveryMs, undefined, { signal });
  }
}

const absent = (error: CodedError) =>
  error.code === 'unavailable'
    ? error
    : new CodedError('unavailable', `the vendor cannot be asked: ${error.message}`, { cause: error });
