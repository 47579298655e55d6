import { CodedError } from '@earshot/domain';

/** Settles like `work`, or rejects with `timeout` after `ms` milliseconds, or with the signal's reason when it is aborted. */
export function withinTime<T>(work: Promise<T>, ms: number, signal?: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(
      () => end(() => reject(new CodedError('timeout', `ffmpeg took over ${ms} ms`))),
      ms,
    );
    const aborted = () => end(() => reject(signal?.reason));
    const end = (settle: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      settle();
    };
    work.then(
      (value) => end(() => resolve(value)),
      (error) => end(() => reject(error)),
    );
    if (signal?.aborted) aborted();
    else signal?.addEventListener('abort', aborted, { once: true });
  });
}
