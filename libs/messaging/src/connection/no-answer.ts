/** A request got no answer; whether the broker acted on it is unknown (`no_responders`: it did not). */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly reason: 'no_responders' | 'timeout' | 'disconnected' | 'closed';

  constructor(reason: NoAnswer['reason'], subject: string) {
    super(`no answer on ${subject}: ${reason}`);
    this.reason = reason;
  }
}
