import { setTimeout as pause } from 'node:timers/promises';
import { Client } from '@earshot/client';
import type { SeededRandom } from '@earshot/testkit';
import type { ChaosWorld } from './chaos-world.ts';
import type { Requests } from './history.ts';

const EVERY_MS = 200;
const TRIES = 15;
const PAUSE_MS = 300;
const ANSWER_MS = 5_000;

/** Reads transcripts that were accepted, through any door, as pages do that wait for them; repeats what got no answer. */
export class Reader {
  readonly #world: ChaosWorld;
  readonly #random: SeededRandom;
  readonly #ids: string[] = [];
  readonly #ended: Promise<void>;
  #made = 0;
  #repeated = 0;
  #unanswered = 0;
  #stopped = false;

  constructor(world: ChaosWorld, random: SeededRandom) {
    this.#world = world;
    this.#random = random;
    this.#ended = this.#run();
  }

  /** From now on this transcript is read too: it must be there. */
  add(id: string): void {
    this.#ids.push(id);
  }

  async stop(): Promise<Requests> {
    this.#stopped = true;
    await this.#ended;
    return { made: this.#made, repeated: this.#repeated, unanswered: this.#unanswered };
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      if (this.#ids.length > 0) await this.#read(this.#random.pick(this.#ids));
      await pause(EVERY_MS);
    }
  }

  async #read(id: string): Promise<void> {
    this.#made += 1;
    for (let tries = 1; !this.#stopped; tries += 1) {
      if (await this.#isThere(id)) return;
      if (tries === TRIES) {
        this.#unanswered += 1;
        return;
      }
      this.#repeated += 1;
      await pause(PAUSE_MS);
    }
  }

  async #isThere(id: string): Promise<boolean> {
    const urls = this.#world.of('results').flatMap((service) => service.url() ?? []);
    if (urls.length === 0) return false;
    const client = new Client({ baseUrl: this.#random.pick(urls), retries: 0 });
    try {
      await client.transcripts.get(id, AbortSignal.timeout(ANSWER_MS));
      return true;
    } catch {
      return false;
    }
  }
}
