import { setTimeout as pause } from 'node:timers/promises';
import type { LookupCall, OperationState } from '@earshot/engine';
import { askVendor } from './ask-vendor.ts';
import { OperationRunning } from './operation-running.ts';
import type { Payment } from './payment.ts';

/**
 * How an operation ended. One that still runs at the chunk's deadline throws `OperationRunning`; a slow one does when it is
 * first seen to run, so that it holds no slot.
 */
export async function pollOperation<Result>(
  payment: Payment,
  call: LookupCall<Result>,
  operation: string,
): Promise<Exclude<OperationState<Result>, { state: 'running' }>> {
  const { times, signal } = payment;
  const until = performance.now() + payment.deadlineMs;
  for (let wait = times.pollEveryMs; ; wait = Math.min(wait * 1.5, times.pollEveryMs * 10)) {
    signal.throwIfAborted();
    const state = await askVendor(payment, (asking) => call.poll(operation, asking));
    if (state.state !== 'running') return state;
    payment.heartbeat();
    if (call.slow) throw new OperationRunning(operation, times.slowPauseMs);
    if (performance.now() + wait > until) throw new OperationRunning(operation, times.runningPauseMs);
    await pause(wait, undefined, { signal });
  }
}
