import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, ClientError } from '@earshot/client';
import { DEFAULT_TENANT, uploadSubject } from '@earshot/contracts';
import type { SeededRandom } from '@earshot/testkit';
import { connect } from 'nats';
import type { ChaosWorld } from './chaos-world.ts';
import type { SubmissionOutcome } from './history.ts';
import { eventOf, type PlannedRecording, wavOf } from './recordings.ts';

/** What became of a submission, and how often it was sent. */
export interface Submitted {
  readonly outcome: SubmissionOutcome;
  /** Of a refusal. */
  readonly code?: string;
  readonly tries: number;
}

/** Longer than a lost store takes to be made again while everything else is broken too. */
const PATIENCE_MS = 120_000;
const PAUSE_MS = 500;
const ANSWER_MS = 10_000;

/**
 * Sends one recording until somebody takes it, as a careful client does: with the same key each time, through any of the
 * doors. One in ten is sent once more after it was taken. `unknown` when no answer ever came.
 */
export async function submit(
  world: ChaosWorld,
  recording: PlannedRecording,
  random: SeededRandom,
): Promise<Submitted> {
  const sendOnce =
    recording.via === 'http' ? await throughDoor(world, recording, random) : asEvent(world, recording);
  const giveUpAt = performance.now() + PATIENCE_MS;
  let tries = 0;
  while (performance.now() < giveUpAt) {
    tries += 1;
    try {
      await sendOnce();
      if (random.below(10) === 0) await sendOnce().catch(() => undefined);
      return { outcome: 'accepted', tries };
    } catch (error) {
      if (error instanceof ClientError && !error.retryable)
        return { outcome: 'refused', code: error.code, tries };
      await pause(PAUSE_MS);
    }
  }
  return { outcome: 'unknown', tries };
}

async function throughDoor(world: ChaosWorld, recording: PlannedRecording, random: SeededRandom) {
  const bytes = recording.seed === undefined ? await readFile(world.sample ?? '') : wavOf(recording);
  const file = new Blob([new Uint8Array(bytes)]);
  const options = { engine: recording.engine, priority: recording.lane };
  return async () => {
    const urls = world.of('ingest').flatMap((service) => service.url() ?? []);
    if (urls.length === 0) throw new Error('no door is open');
    const client = new Client({ baseUrl: random.pick(urls), retries: 0 });
    const { id } = await client.recordings.create(
      { file, ...options },
      { idempotencyKey: recording.key, signal: AbortSignal.timeout(ANSWER_MS) },
    );
    if (id !== recording.id) throw new Error(`${recording.key} got the id ${id}, not ${recording.id}`);
  };
}

/** Straight to the broker, past every service, once the sound is stored by somebody else. */
function asEvent(world: ChaosWorld, recording: PlannedRecording) {
  const uri = `${DEFAULT_TENANT}/in/${recording.key}.wav`;
  const path = join(world.storage, uri);
  const payload = JSON.stringify(eventOf(recording, uri));
  let stored = false;
  return async () => {
    if (!stored) await store(path, wavOf(recording));
    stored = true;
    const connection = await connect({ servers: world.broker.url, timeout: 5_000, reconnect: false });
    try {
      await connection.jetstream().publish(uploadSubject(DEFAULT_TENANT), payload, { timeout: 5_000 });
    } finally {
      await connection.close();
    }
  };
}

async function store(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.part`, bytes);
  await rename(`${path}.part`, path);
}
