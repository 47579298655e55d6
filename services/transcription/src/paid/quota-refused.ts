import { CodedError } from '@earshot/domain';

const LONGEST_WAIT_MS = 15 * 60_000;

/** The vendor's quota refused a call. It says how long the chunk waits; the engine itself waits what the vendor said. */
export class QuotaRefused extends CodedError {
  readonly #tries: number;

  constructor(refused: CodedError, tries: number) {
    super(refused.code, refused.message, { cause: refused, retryAfterMs: refused.retryAfterMs });
    this.#tries = tries;
  }

  /** Half as long again for each try: every refusal is one in the ledger, and a quota may be used up for a day. */
  chunkWaitMs(engineWaitMs: number): number {
    return Math.max(engineWaitMs, Math.min(engineWaitMs * (0.5 + this.#tries / 2), LONGEST_WAIT_MS));
  }
}

/** What to throw for a refused call. */
export const refusedTry = (refused: CodedError, tryNumber: number): CodedError =>
  refused.code === 'quota_exceeded' ? new QuotaRefused(refused, tryNumber) : refused;
