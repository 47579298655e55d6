/** Why a handler's signal was aborted. */
export type AbortReason = 'lease_lost' | 'canceled' | 'stopping';

/** The `reason` of a handler's signal. */
export class WorkAborted extends Error {
  override readonly name = 'WorkAborted';
  readonly reason: AbortReason;

  constructor(reason: AbortReason) {
    super(`the work was aborted: ${reason}`);
    this.reason = reason;
  }
}

/** The reason a signal was aborted for, undefined while it is not. */
export function abortReason(signal: AbortSignal): AbortReason | undefined {
  if (!signal.aborted) return undefined;
  return signal.reason instanceof WorkAborted ? signal.reason.reason : 'stopping';
}
