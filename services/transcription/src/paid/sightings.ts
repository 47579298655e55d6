/** A process never waits for more calls than this at once; what it forgot is waited for from the start. */
const LIMIT = 10_000;

/**
 * When this process first saw a call that nobody knows the end of, by its output URI. It outlives one delivery of the job:
 * while a vendor is away its jobs come and go, and time passes for their calls all the same.
 */
export class Sightings {
  readonly #firstSeen = new Map<string, number>();

  /** Monotonic time of the first sight; now, if there was none. */
  firstSight(outputUri: string): number {
    const seen = this.#firstSeen.get(outputUri);
    if (seen !== undefined) return seen;
    const now = performance.now();
    this.#firstSeen.set(outputUri, now);
    const [oldest] = this.#firstSeen.keys();
    if (this.#firstSeen.size > LIMIT && oldest !== undefined) this.#firstSeen.delete(oldest);
    return now;
  }

  forget(outputUri: string): void {
    this.#firstSeen.delete(outputUri);
  }
}
