/**
 * A request got no answer; whether the broker acted on it is unknown (`no_responders` and `refused`: it did not).
 * `refused` is for a user without the permission.
 */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly reason: 'no_responders' | 'timeout' | 'disconnected' | 'closed' | 'refused';

  constructor(reason: NoAnswer['reason'], subject: string, detail: string = reason) {
    super(`no answer on ${subject}: ${detail}`);
    this.reason = reason;
  }

  /** True when asking again at once cannot help. */
  get final(): boolean {
    return this.reason === 'closed' || this.reason === 'refused';
  }
}
