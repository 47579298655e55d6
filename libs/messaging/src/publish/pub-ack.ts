import { CodedError } from '@earshot/domain';
import type { Msg } from 'nats';

/** The broker's answer to a publish. */
export type PubAck =
  | { readonly kind: 'stored'; readonly seq: number }
  /** The expected last sequence did not fit: somebody was first. */
  | { readonly kind: 'already_there' }
  /** A passing refusal, e.g. while a leader is elected. */
  | { readonly kind: 'try_again'; readonly detail: string };

/** 10164 is what clusters answer where one server answers 10071. */
const WRONG_LAST_SEQUENCE = [10071, 10164];
/** Store failed (also "maximum bytes exceeded" of discard-new streams); limits of account, disk, memory, server. */
const FULL = [10077, 10002, 10047, 10028, 10023];

/** Reads a PubAck; throws `storage_full`, or `internal` for a refusal that repeating would not heal. */
export function readPubAck(reply: Msg): PubAck {
  const answer = reply.json<{
    seq?: number;
    error?: { code: number; err_code?: number; description?: string };
  }>();
  if (!answer.error) return { kind: 'stored', seq: answer.seq ?? 0 };
  const { code, err_code = 0, description = 'refused' } = answer.error;
  if (WRONG_LAST_SEQUENCE.includes(err_code)) return { kind: 'already_there' };
  if (FULL.includes(err_code)) throw new CodedError('storage_full', `the broker is full: ${description}`);
  if (code >= 500) return { kind: 'try_again', detail: description };
  throw new CodedError('internal', `the broker refused a message: ${description} (${err_code})`);
}
