import type { OutgoingMessage } from '@earshot/contracts';
import { type CodedError, toCodedError } from '@earshot/domain';
import type { Outcome } from './handler.ts';

/** The work is finished; its last messages are published before the acknowledgement. */
export const done = (...publish: OutgoingMessage[]): Outcome => ({ kind: 'done', publish });

/** What a thrown error means: `permanent` and `caller` give up at once, everything else is a failed attempt. */
export function outcomeOf(error: unknown): Outcome {
  const coded: CodedError = toCodedError(error);
  const stderr_tail = (error as { stderr_tail?: unknown } | null)?.stderr_tail;
  const tail = typeof stderr_tail === 'string' ? { stderr_tail } : {};
  const final = coded.class === 'permanent' || coded.class === 'caller';
  return { kind: final ? 'give_up' : 'retry', error: coded, ...tail };
}
