import { WORKER_STATE_TTL_MS, type WorkerState, workerStateSubject } from '@earshot/contracts';
import type { Broker } from '../connection/broker.ts';
import type { Log } from '../log.ts';
import { purge } from '../store/make-room.ts';

const EVERY_MS = WORKER_STATE_TTL_MS / 3;
const ANSWER_MS = 2_000;

/** Writes a worker's state into the bucket, at once and every third of its lifetime there. */
export class StateKeeper {
  readonly #options: { broker: Broker; stream: string; id: string; state: () => WorkerState; log: Log };
  readonly #timer: NodeJS.Timeout;
  #writing: Promise<void>;
  #kept = true;

  constructor(options: { broker: Broker; stream: string; id: string; state: () => WorkerState; log: Log }) {
    this.#options = options;
    this.#writing = this.#write();
    this.#timer = setInterval(() => {
      this.#writing = this.#writing.then(() => this.#write());
    }, EVERY_MS);
  }

  /** Writes no more, and removes the entry so that nobody waits for this worker's answer. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
    const { broker, stream, id } = this.#options;
    if (!broker.link.connected) return;
    await purge(broker, { stream, subject: workerStateSubject(id) }).catch(() => 0);
  }

  /** Not the client's KV: it writes plainly too, but wants to make or look up the bucket first. */
  async #write(): Promise<void> {
    const { broker, id, state } = this.#options;
    try {
      const payload = JSON.stringify(state());
      const reply = await broker.requests.request(workerStateSubject(id), payload, { timeoutMs: ANSWER_MS });
      const { error } = reply.json<{ error?: { description?: string } }>();
      this.#note(error ? (error.description ?? 'refused') : undefined);
    } catch (error) {
      this.#note(String(error));
    }
  }

  /** One line when it begins to fail and one when it works again. */
  #note(trouble: string | undefined): void {
    if (this.#kept === (trouble === undefined)) return;
    this.#kept = trouble === undefined;
    const { log, id } = this.#options;
    if (trouble) log.warn({ worker: id, detail: trouble }, 'the state of this worker is not seen by others');
    else log.info({ worker: id }, 'the state of this worker is seen again');
  }
}
