import { statSync } from 'node:fs';

/** How often a changed file is looked for. */
const LOOK_EVERY_MS = 1_000;

/**
 * What `read` makes of a file, as it is now: a changed one is read at the next question, at most once a second, so that a mounted
 * secret may change while the service runs. When `read` throws, the value stays as it was and `onProblem` is told once. Throws
 * what `read` throws the first time.
 */
export function watchedFile<T>(path: string, read: () => T, onProblem: (error: unknown) => void): () => T {
  let seen = stampOf(path);
  let value = read();
  let lookedAt = performance.now();
  return () => {
    if (performance.now() - lookedAt < LOOK_EVERY_MS) return value;
    lookedAt = performance.now();
    const stamp = stampOf(path);
    if (stamp === seen) return value;
    seen = stamp;
    try {
      value = read();
    } catch (error) {
      onProblem(error);
    }
    return value;
  };
}

function stampOf(path: string): string {
  const info = statSync(path, { throwIfNoEntry: false, bigint: true });
  return info ? `${info.ino}-${info.mtimeNs}-${info.size}` : 'none';
}
