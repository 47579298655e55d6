import { setTimeout as pause } from 'node:timers/promises';
import type { LookupCall, PaidCallLedger } from '../paid-call.ts';

/** A ledger without a book: makes the call and follows it, as the real one does when nothing goes wrong. */
export const plainLedger = (signal: AbortSignal, heartbeat: () => void): PaidCallLedger => ({
  pay: async (call) => {
    signal.throwIfAborted();
    heartbeat();
    if (call.billing === 'lookup') return follow(call, signal, heartbeat);
    const answer = await call.call('calls/1-0-test-1/key', signal);
    if ('refused' in answer) throw answer.refused;
    signal.throwIfAborted();
    return answer.result;
  },
});

async function follow<Result>(
  call: LookupCall<Result>,
  signal: AbortSignal,
  heartbeat: () => void,
): Promise<Result> {
  await call.prepare?.('calls/1-0-test-1', signal);
  const answer = await call.call('calls/1-0-test-1/uri', signal);
  if ('refused' in answer) throw answer.refused;
  for (;;) {
    signal.throwIfAborted();
    const state = await call.poll(answer.operation, signal);
    if (state.state === 'done') return state.result;
    if (state.state === 'failed') throw state.error;
    heartbeat();
    await pause(20);
  }
}
