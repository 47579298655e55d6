import { readFileSync, statSync } from 'node:fs';
import { type BucketList, parseBucketList } from './bucket-list.ts';

/** How often a changed file is looked for. */
const LOOK_EVERY_MS = 1_000;

/** What is wrong with a file of buckets, for the check of a configuration; empty for none, and without a file. */
export function bucketFileProblems(path: string | undefined): string[] {
  try {
    if (path) read(path);
    return [];
  } catch (error) {
    return [`EARSHOT_BUCKETS_FILE cannot be used: ${reasonOf(error)}`];
  }
}

/**
 * The list in a file, as it is now: a changed file is read at the next question, at most once a second. One that cannot be
 * used leaves the list as it was, and `onProblem` is told once. Throws when it cannot be read the first time.
 */
export function bucketFile(path: string, onProblem: (problem: string) => void): () => BucketList {
  let list = read(path);
  let seen = stampOf(path);
  let lookedAt = performance.now();
  return () => {
    if (performance.now() - lookedAt < LOOK_EVERY_MS) return list;
    lookedAt = performance.now();
    const stamp = stampOf(path);
    if (stamp === seen) return list;
    seen = stamp;
    try {
      list = read(path);
    } catch (error) {
      onProblem(reasonOf(error));
    }
    return list;
  };
}

const read = (path: string) => parseBucketList(readFileSync(path, 'utf8'));

function stampOf(path: string): string {
  const info = statSync(path, { throwIfNoEntry: false, bigint: true });
  return info ? `${info.ino}-${info.mtimeNs}-${info.size}` : 'none';
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
