import { setTimeout as pause } from 'node:timers/promises';
import type { FaultWorld } from './fault-world.ts';
import { bookOf } from './google-book.ts';

/** What was seen while a vendor had no quota left. */
export interface QuotaGap {
  readonly states: readonly string[];
  /** What the transcripts said of themselves meanwhile. */
  readonly meanwhile: ReadonlySet<string>;
  readonly attempts: number;
  readonly gaveUps: number;
  readonly peak: number;
  /** Calls that were refused, and the most in any second. */
  readonly refused: number;
  readonly refusedAtOnce: number;
  /** From the return of the quota until all was done. */
  readonly afterMs: number;
}

/** The vendor answers that its quota is used up for `gapMs`, in the middle of the work. */
export async function quotaGap(
  world: FaultWorld,
  { recordings, seconds, gapMs }: { recordings: number; seconds: number; gapMs: number },
): Promise<QuotaGap> {
  const { speech } = world;
  if (!speech) throw new Error('this world has no Speech-to-Text');
  const before = speech.bill().length;
  const ids = await Promise.all(Array.from({ length: recordings }, () => world.submit({ seconds })));
  while (speech.bill().length - before < recordings) await pause(50);
  speech.behave({ outOfQuota: true });
  const meanwhile = new Set<string>();
  for (const until = performance.now() + gapMs; performance.now() < until; await pause(500)) {
    for (const id of ids) meanwhile.add((await world.transcript(id)).status);
  }
  speech.behave({ outOfQuota: false });
  const backAt = performance.now();
  const transcripts = await Promise.all(ids.map((id) => world.finished(id, 300_000)));
  const afterMs = performance.now() - backAt;
  const refusals = speech.book().filter(({ fault }) => fault === 'quota');
  const perSecond = new Map<number, number>();
  for (const { at } of refusals) {
    const second = Math.floor(at / 1_000);
    perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
  }
  const ours = new Set(ids);
  return {
    states: transcripts.map(({ status }) => status),
    meanwhile,
    attempts: Math.max(
      ...world.chunkRuns(({ transcript_id }) => ours.has(transcript_id)).map(({ attempt }) => attempt),
    ),
    gaveUps: await world.gaveUps(),
    peak: await bookOf(world).peak(),
    refused: refusals.length,
    refusedAtOnce: Math.max(0, ...perSecond.values()),
    afterMs,
  };
}
