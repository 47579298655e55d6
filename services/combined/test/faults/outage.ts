import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '@earshot/testkit';
import type { FaultWorld } from './fault-world.ts';
import { type Knock, knock, knockWithRecording } from './knock.ts';

/** Something the services need, and how it goes away and comes back. */
export interface Outage {
  begin(world: FaultWorld): Promise<void>;
  end(world: FaultWorld): Promise<void>;
}

/** What can be away. */
export const OUTAGES = {
  database: { begin: (world) => world.database.stop(), end: (world) => world.database.start() },
  'database, killed': { begin: (world) => world.database.kill(), end: (world) => world.database.start() },
  nats: { begin: (world) => world.broker.kill(), end: (world) => world.broker.start() },
  storage: { begin: (world) => world.takeStorageAway(), end: (world) => world.bringStorageBack() },
} as const satisfies Record<string, Outage>;

/** What was seen before, while and after something was away. */
export interface OutageReport {
  /** Answers at the door for recordings, of the read API, and of both `/readyz`, from its beginning to its end. */
  readonly door: readonly Knock[];
  readonly reads: readonly Knock[];
  readonly readiness: readonly Knock[];
  /** Milliseconds from its return until doors answer and a new recording is completed. */
  readonly normalMs: number;
  /** Final states of all recordings, of those that were refused too: they came again with the same key. */
  readonly states: readonly string[];
  /** Services that are not the process they were. */
  readonly restarted: readonly string[];
}

const EVERY_MS = 400;

/** Work that is running when something goes away; and less than callers come with, so that no backlog is measured. */
const RUNNING_MS = 1_000;
const SHORT_MS = 100;

/** Takes something away for `awayMs` while recordings are at work and callers go on. */
export async function outage(
  world: FaultWorld,
  { begin, end }: Outage,
  awayMs: number,
): Promise<OutageReport> {
  await world.cloud.behave({ answer_ms: RUNNING_MS });
  const accepted = await Promise.all([world.submit(), world.submit(), world.submit()]);
  const visitor = new Visitor(world, accepted[0] ?? '');
  await begin(world);
  await world.cloud.behave({ answer_ms: SHORT_MS });
  const visits: Promise<void>[] = [];
  for (let left = awayMs; left >= 0; left -= EVERY_MS) {
    visits.push(visitor.visit());
    await pause(EVERY_MS);
  }
  await end(world);
  const backAt = Date.now();
  await normalAgain(world);
  const normalMs = Date.now() - backAt;
  await Promise.all(visits);
  const refused = await visitor.comeAgain();
  const ids = [...accepted, ...visitor.accepted, ...refused];
  const finished = await Promise.all(ids.map((id) => world.finished(id, 120_000)));
  return {
    ...{ door: visitor.door, reads: visitor.reads, readiness: visitor.readiness, normalMs },
    states: finished.map(({ status }) => status),
    restarted: world.services().flatMap((service) => (service.alive() ? [] : [service.name])),
  };
}

/** Callers of all doors at once. */
class Visitor {
  readonly door: Knock[] = [];
  readonly reads: Knock[] = [];
  readonly readiness: Knock[] = [];
  readonly accepted: string[] = [];
  readonly #refused: { key: string; seed: number }[] = [];
  readonly #world: FaultWorld;
  readonly #known: string;
  #visits = 0;

  constructor(world: FaultWorld, known: string) {
    this.#world = world;
    this.#known = known;
  }

  async visit(): Promise<void> {
    const [ingest, results] = await Promise.all([this.#world.url('ingest'), this.#world.url('results')]);
    this.#visits += 1;
    const submission = { key: randomUUID(), seed: 1_000 + this.#visits };
    const [door, read, ...readiness] = await Promise.all([
      knockWithRecording(ingest, submission.key, submission.seed),
      knock(`${results}/v1/transcripts/${this.#known}`),
      knock(`${ingest}/readyz`),
      knock(`${results}/readyz`),
    ]);
    this.door.push(door);
    this.reads.push(read);
    this.readiness.push(...readiness);
    if (door.body.id) this.accepted.push(door.body.id);
    else this.#refused.push(submission);
  }

  /** Everyone who was sent away comes again with the same key; returns their transcripts. */
  async comeAgain(): Promise<string[]> {
    const ingest = await this.#world.url('ingest');
    const answers = await Promise.all(
      this.#refused.map(({ key, seed }) => knockWithRecording(ingest, key, seed)),
    );
    return answers.map(({ body }) => body.id ?? 'refused');
  }
}

async function normalAgain(world: FaultWorld): Promise<void> {
  const id = await eventually('the door to open again', () => world.submit().catch(() => undefined), 60_000);
  await world.finished(id);
}
