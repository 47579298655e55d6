import { toCodedError } from '@earshot/domain';
import type { LookupCall } from '@earshot/engine';
import { abortReason } from '@earshot/messaging';
import { cancelOperation } from './cancel-operation.ts';
import type { Answer } from './documents.ts';
import { keepName } from './keep-name.ts';
import type { LedgerTry } from './ledger-try.ts';
import { lookUp } from './look-up.ts';
import { claimTry, endOf, errorOf, type Payment, refusal } from './payment.ts';
import { pollOperation } from './poll-operation.ts';

/**
 * The result of the first try that was not refused. It is called by whoever created its intent, once; everybody else goes
 * by what is written, and looks the call up where nothing is. Throws what the call or its operation failed with.
 */
export async function payLookup<Result>(payment: Payment, call: LookupCall<Result>): Promise<Result> {
  for (let number = 1; ; number += 1) {
    payment.signal.throwIfAborted();
    const entry = payment.entry(number);
    const done = await entry.done();
    const end = done && endOf(done, payment.generation);
    if (end) return end.result as Result;
    if (done) continue;
    const answer = (await entry.answer()) ?? (await claim(payment, call, entry));
    if ('operation' in answer) return finish(payment, call, entry, answer.operation);
  }
}

async function claim(payment: Payment, call: LookupCall<unknown>, entry: LedgerTry): Promise<Answer> {
  const { intent, ours, callBy } = await claimTry(payment, entry);
  if (!ours) return lookUp(payment, call, entry, intent.output_uri);
  if (performance.now() <= callBy) return place(payment, call, entry, intent.output_uri);
  return entry.decideAnswer(refusal(payment, 'not_called', 'too late to call after the claim'));
}

/** Not ended by the job's signal: what is paid for is written down, whoever goes on with it. */
async function place(
  payment: Payment,
  call: LookupCall<unknown>,
  entry: LedgerTry,
  outputUri: string,
): Promise<Answer> {
  payment.counts.calls += 1;
  const placed = await call
    .call(outputUri, AbortSignal.timeout(payment.times.callMs))
    .catch((error: unknown) => ({ lost: toCodedError(error, 'engine_error') }));
  if ('operation' in placed) return keepName(payment, call, entry, placed.operation);
  if ('lost' in placed) {
    const { code, message } = placed.lost;
    payment.log.warn({ try: entry.root, code, detail: message }, 'the answer to a paid call was lost');
  }
  const answer = await ('lost' in placed
    ? lookUp(payment, call, entry, outputUri)
    : entry.decideAnswer(refusal(payment, placed.refused.code, placed.refused.message)));
  if ('operation' in answer) return answer;
  throw 'lost' in placed ? placed.lost : placed.refused;
}

async function finish<Result>(
  payment: Payment,
  call: LookupCall<Result>,
  entry: LedgerTry,
  operation: string,
): Promise<Result> {
  const ended = await pollOperation(payment, call, operation).catch(async (error: unknown) => {
    if (abortReason(payment.signal) === 'canceled') await cancelOperation(payment, call, entry, operation);
    throw error;
  });
  const done = await entry.decideDone(
    ended.state === 'done'
      ? { result: ended.result }
      : { error: ended.error.code, detail: ended.error.message, generation: payment.generation },
  );
  if ('error' in done) throw errorOf(done);
  return done.result as Result;
}
