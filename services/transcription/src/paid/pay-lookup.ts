import type { PaidAnswer } from '@earshot/contracts';
import { toCodedError } from '@earshot/domain';
import type { LookupCall } from '@earshot/engine';
import { abortReason } from '@earshot/messaging';
import { cancelOperation } from './cancel-operation.ts';
import { cancelLate, findLate } from './find-late.ts';
import { keepName } from './keep-name.ts';
import type { LedgerTry } from './ledger-try.ts';
import { lookUp, NEVER_ARRIVED } from './look-up.ts';
import { bill, claimTry, endOf, errorOf, type Payment, paidResult, refusal } from './payment.ts';
import { pollOperation } from './poll-operation.ts';
import { refusedTry } from './quota-refused.ts';

/**
 * The result of the first try that was not refused. It is called by whoever created its intent, once; everybody else goes
 * by what is written, and looks the call up where nothing is. Throws what the call or its operation failed with.
 */
export async function payLookup<Result>(payment: Payment, call: LookupCall<Result>): Promise<Result> {
  const lost: LedgerTry[] = [];
  for (let number = 1; ; number += 1) {
    payment.signal.throwIfAborted();
    const entry = payment.entry(number);
    const done = await entry.read('done');
    if (done) {
      bill(payment, done);
      const end = endOf(done, payment.generation);
      if (end) return end.result as Result;
      continue;
    }
    const written = await entry.read('answer');
    const answer = written ?? (await claim(payment, call, entry));
    if ('operation' in answer) return finish(payment, call, entry, answer.operation, lost);
    if (answer.refused !== NEVER_ARRIVED) continue;
    const late = written && (await findLate(payment, call, entry, payment.entry(number + 1)));
    if (late !== undefined) return finish(payment, call, entry, late, lost);
    lost.push(entry);
  }
}

async function claim(payment: Payment, call: LookupCall<unknown>, entry: LedgerTry): Promise<PaidAnswer> {
  const prepare = async () => {
    // A try that somebody claimed needs nothing any more.
    if (call.prepare && !(await entry.read('intent'))) await call.prepare(entry.root, payment.signal);
  };
  const { intent, ours, callBy } = await claimTry(payment, entry, prepare);
  if (!ours) return lookUp(payment, call, entry, intent.output_uri);
  if (performance.now() <= callBy) return place(payment, call, entry, intent.output_uri);
  return entry.decide('answer', refusal(payment, 'not_called', 'too late to call after the claim'));
}

/** Not ended by the job's signal: what is paid for is written down, whoever goes on with it. */
async function place(
  payment: Payment,
  call: LookupCall<unknown>,
  entry: LedgerTry,
  outputUri: string,
): Promise<PaidAnswer> {
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
    : entry.decide('answer', refusal(payment, placed.refused.code, placed.refused.message)));
  if ('refused' in placed) await payment.release();
  if ('operation' in answer) return answer;
  throw 'lost' in placed ? placed.lost : refusedTry(placed.refused, entry.number);
}

async function finish<Result>(
  payment: Payment,
  call: LookupCall<Result>,
  entry: LedgerTry,
  operation: string,
  lost: readonly LedgerTry[],
): Promise<Result> {
  const ended = await pollOperation(payment, call, operation).catch(async (error: unknown) => {
    if (abortReason(payment.signal) === 'canceled') await cancelOperation(payment, call, entry, operation);
    throw error;
  });
  const done = await entry.decide(
    'done',
    ended.state === 'done'
      ? paidResult(payment, ended)
      : {
          ...{ error: ended.error.code, detail: ended.error.message, generation: payment.generation },
          ...(ended.billed_ms === undefined ? {} : { billed_ms: ended.billed_ms }),
        },
  );
  bill(payment, done);
  for (const one of lost) await cancelLate(payment, call, one);
  if ('error' in done) throw errorOf(done);
  return done.result as Result;
}
