/** Requests that cost nothing are repeated by the ledger, not by the client: it has its own idea of how long to go on. */
export const once = { timeout: 10_000, retry: { retryCodes: [] }, maxRetries: 0 };

/** Ends a wait when the signal does; the request itself may go on to its timeout. */
export function unlessAborted<T>(request: Promise<T>, signal: AbortSignal): Promise<T> {
  request.catch(() => {});
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    request.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
