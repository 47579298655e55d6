/** A paid call that must not be made now. No failure: the job comes back for it, without an attempt burnt. */
export class CallPostponed extends Error {
  override readonly name = 'CallPostponed';
  readonly afterMs: number;
  /** True when no call of the engine may be made, whoever's it is. */
  readonly forAll: boolean;

  constructor(reason: string, afterMs: number, forAll: boolean) {
    super(reason);
    this.afterMs = afterMs;
    this.forAll = forAll;
  }
}
