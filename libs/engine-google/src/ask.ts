import { grpc } from 'google-gax';

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

/** Call options with which an aborted signal ends the call itself: closing its client leaves it open, and waits for it. */
export function endedBy(signal: AbortSignal): {
  otherArgs: { options: { interceptors: grpc.Interceptor[] } };
} {
  const interceptor: grpc.Interceptor = (options, next) => {
    const end = () => call.cancelWithStatus(grpc.status.CANCELLED, 'nobody waits for the answer any more');
    const over: grpc.Listener = {
      onReceiveStatus: (status, pass) => {
        signal.removeEventListener('abort', end);
        pass(status);
      },
    };
    const call = new grpc.InterceptingCall(next(options), {
      start: (metadata, _, pass) => pass(metadata, over),
    });
    signal.addEventListener('abort', end, { once: true });
    return call;
  };
  return { otherArgs: { options: { interceptors: [interceptor] } } };
}
