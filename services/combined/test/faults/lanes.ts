import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { writeWav } from '@earshot/audio';
import { chunkJob, type Lane, STREAMS } from '@earshot/contracts';
import { purge } from '@earshot/messaging';
import type { FaultWorld } from './fault-world.ts';

const KEY = 'default/lanes/chunks/one';

/**
 * Milliseconds from the publishing of each of `count` low jobs, one after another, to its start, while more high jobs come
 * than the workers can do; each takes `answerMs`.
 */
export async function lowAmongHigh(
  world: FaultWorld,
  { count, answerMs }: { count: number; answerMs: number },
): Promise<number[]> {
  await prepare(world, answerMs);
  const flood = new AbortController();
  await publish(world, 'high', 4 * world.workers.length);
  const flooding = keepPublishing(world, answerMs / world.workers.length / 2, flood.signal);
  const times: number[] = [];
  while (times.length < count) times.push(await startOf(world, 'low'));
  flood.abort();
  await flooding;
  await clear(world);
  return times;
}

/**
 * Milliseconds until each of `count` high jobs, one after another, starts although `waiting` low ones came before, and how
 * long the longest low one ran meanwhile.
 */
export async function highAmongLow(
  world: FaultWorld,
  { count, waiting, answerMs }: { count: number; waiting: number; answerMs: number },
): Promise<{ times: number[]; chunkMs: number }> {
  await prepare(world, answerMs);
  const low = new Set(await publish(world, 'low', waiting));
  const times: number[] = [];
  while (times.length < count) times.push(await startOf(world, 'high'));
  await clear(world);
  const runs = world.chunkRuns(({ transcript_id }) => low.has(transcript_id));
  const chunkMs = Math.max(...runs.map((run) => (run.finishedAt ?? run.startedAt) - run.startedAt));
  return { times, chunkMs };
}

/** Jobs of a lane without the way through ingest and split: all of them name one chunk. */
async function publish(world: FaultWorld, lane: Lane, count: number): Promise<string[]> {
  const { publisher } = await world.connection();
  const ids = Array.from({ length: count }, () => randomUUID());
  const where = { tenant_id: 'default', plan: 1, n: 0, generation: 0, attempt: 1, engine: 'free' };
  const what = { ...where, lane, key: KEY, start_ms: 0, end_ms: 1_000, channels: 'auto' as const };
  const messages = ids.map((transcript_id) =>
    chunkJob.create({ ...what, transcript_id }, { source: 'test' }),
  );
  for (let n = 0; n < messages.length; n += 100) {
    await Promise.all(messages.slice(n, n + 100).map((message) => publisher.publish(message)));
  }
  return ids;
}

async function keepPublishing(world: FaultWorld, everyMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await publish(world, 'high', 1);
    await pause(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

async function startOf(world: FaultWorld, lane: Lane): Promise<number> {
  const publishedAt = Date.now();
  const [id] = await publish(world, lane, 1);
  const run = await world.run(`a ${lane} job to start`, (one) => one.transcript_id === id, 120_000);
  return Math.max(0, run.startedAt - publishedAt);
}

async function prepare(world: FaultWorld, answerMs: number): Promise<void> {
  await world.cloud.behave({ answer_ms: answerMs });
  const path = join(world.storage, KEY);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, writeWav(new Int16Array(16_000).fill(1_000), 1, 16_000));
}

async function clear(world: FaultWorld): Promise<void> {
  await purge(await world.connection(), { stream: STREAMS.jobs });
  await world.cloud.behave({ answer_ms: 0 });
}
