import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { FaultWorld } from './fault-world.ts';
import { type Knock, knock, knockWithRecording } from './knock.ts';

/** Something that can be full. */
export interface FullStore {
  fill(): Promise<void>;
  free(): Promise<void>;
}

/** What was seen while a store was full, and after it had room again. */
export interface FullReport {
  readonly door: readonly Knock[];
  readonly reads: readonly Knock[];
  /** Final states of the recordings at work when it got full, and of those that came meanwhile (again, if refused). */
  readonly states: readonly string[];
  /** Highest attempt of any run. */
  readonly attempts: number;
  readonly gaveUps: number;
  /** Services that are not the process they were. */
  readonly restarted: readonly string[];
  /** Milliseconds from the first room to the last final state. */
  readonly drainedMs: number;
}

/** Fills a store while recordings wait for their workers, lets callers knock `knocks` times, then gives room back. */
export async function fullStore(
  world: FaultWorld,
  { fill, free }: FullStore,
  knocks: number,
): Promise<FullReport> {
  await world.cloud.behave({ answer_ms: 300 });
  for (const worker of world.workers) worker.signal('SIGSTOP');
  const ids = await Promise.all([world.submit(), world.submit()]);
  await fill();
  for (const worker of world.workers) worker.signal('SIGCONT');
  const [ingest, results] = [await world.url('ingest'), await world.url('results')];
  const keys = Array.from({ length: knocks }, () => randomUUID());
  const door: Knock[] = [];
  const reads: Knock[] = [];
  for (const [n, key] of keys.entries()) {
    door.push(await knockWithRecording(ingest, key, 2_000 + n));
    reads.push(await knock(`${results}/v1/transcripts`));
    await pause(500);
  }
  await free();
  const freeAt = Date.now();
  ids.push(...(await Promise.all(keys.map((key, n) => submitted(ingest, key, 2_000 + n)))));
  const finished = await Promise.all(ids.map((id) => world.finished(id, 120_000)));
  const runs = world.chunkRuns(({ transcript_id }) => ids.includes(transcript_id));
  return {
    ...{ door, reads, states: finished.map(({ status }) => status) },
    attempts: Math.max(...runs.map(({ attempt }) => attempt)),
    gaveUps: await world.gaveUps(),
    restarted: world.services().flatMap((service) => (service.alive() ? [] : [service.name])),
    drainedMs: Date.now() - freeAt,
  };
}

/** Submits until it is accepted, as a caller does who heeds Retry-After. */
async function submitted(ingest: string, key: string, seed: number): Promise<string> {
  for (let tries = 0; tries < 30; tries += 1) {
    const { body, retryAfter } = await knockWithRecording(ingest, key, seed);
    if (body.id) return body.id;
    await pause(Number(retryAfter ?? 1) * 1_000);
  }
  throw new Error('the door stayed closed although there was room again');
}
