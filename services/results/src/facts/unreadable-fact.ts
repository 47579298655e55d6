import { isName, parseFactSubject, type Stage } from '@earshot/contracts';
import { type CodedError, toCodedError } from '@earshot/domain';
import type { DeadLetter } from '../store/sql/dead-letters.ts';
import type { UnreadableFact } from './fact.ts';

type Place = Pick<DeadLetter, 'tenant_id' | 'transcript_id' | 'stage' | 'plan' | 'n'>;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const STAGES: readonly string[] = ['accept', 'split', 'chunk'] satisfies Stage[];
const NOWHERE: Place = { tenant_id: null, transcript_id: null, stage: 'message', plan: 0, n: 0 };

const isSmall = (value: number) => Number.isInteger(value) && value >= 0 && value < 2 ** 31;

/** The piece of work a subject's last words stand for; none for `accepted` and final states: work goes on anyway. */
function workOf(words: readonly string[]): Pick<Place, 'stage' | 'plan' | 'n'> | undefined {
  const [stage, plan, n] = words[0] === 'gave_up' ? words.slice(1) : words;
  const place = { plan: Number(plan), n: Number(n ?? 0) };
  if (!stage || !STAGES.includes(stage) || !isSmall(place.plan) || !isSmall(place.n)) return undefined;
  return { stage: stage as Stage, ...place };
}

function placeOf(subject: string): Place {
  const parsed = parseFactSubject(subject);
  if (!parsed || !UUID.test(parsed.id) || !isName(parsed.tenant)) return NOWHERE;
  const work = workOf(parsed.words);
  return { ...NOWHERE, tenant_id: parsed.tenant, transcript_id: parsed.id, ...work };
}

/** The evidence code: a result that is gone is told apart from a message that never was right. */
function codeOf(place: Place, error: CodedError): string {
  return place.stage === 'chunk' || error.code === 'unreadable_result' ? 'unreadable_result' : error.code;
}

/** Makes the kept record of a message that cannot be read or stored; only its subject is believed. */
export function unreadable(
  message: { subject: string; bytes: Uint8Array; seq: number; traceparent: string | undefined },
  cause: unknown,
): UnreadableFact {
  const { subject, seq, traceparent } = message;
  const error = toCodedError(cause, 'unreadable_message');
  const place = placeOf(subject);
  const letter: DeadLetter = {
    ...place,
    generation: null,
    attempt: null,
    code: codeOf(place, error),
    evidence: { detail: error.message, errors: [...error.errors] },
    start_ms: null,
    end_ms: null,
    job: null,
    payload: message.bytes,
    subject,
    seq,
  };
  return { kind: 'unreadable', letter, subject, seq, traceparent };
}

/** The same record without a transcript, for a message whose subject names a transcript of another tenant. */
export function disowned(fact: UnreadableFact): UnreadableFact {
  return { ...fact, letter: { ...fact.letter, ...NOWHERE } };
}
