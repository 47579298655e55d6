import { basename } from 'node:path';
import type { Transcript } from '@earshot/contracts';

const seconds = (ms: number) => Math.round(ms / 1000);

/** One line about a transcript in the making: seconds done of total, and how many times faster than real time. */
export function progressLine(path: string, transcript: Transcript, elapsedMs: number): string {
  const { done_ms, total_ms } = transcript.progress;
  const total = total_ms === null ? '' : ` of ${seconds(total_ms)} s`;
  const speed = done_ms > 0 && elapsedMs > 0 ? `, ${(done_ms / elapsedMs).toFixed(1)}× real time` : '';
  const until = transcript.waiting_until ? ` until ${transcript.waiting_until}` : '';
  return `${basename(path)}: ${transcript.status}${until}, ${seconds(done_ms)} s${total}${speed}`;
}

/** Shows lines that replace each other on a terminal; elsewhere prints one when it changed and 5 s have passed. */
export class ProgressDisplay {
  readonly #stream: NodeJS.WriteStream;
  readonly #lines = new Map<string, string>();
  #drawn = 0;
  #printedAt = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  update(key: string, line: string): void {
    if (this.#lines.get(key) === line) return;
    this.#lines.set(key, line);
    if (this.#stream.isTTY) this.#draw();
    else this.#print(line);
  }

  /** Removes the lines from a terminal, so that results can follow. */
  clear(): void {
    if (this.#drawn > 0) this.#stream.write(`\x1b[${this.#drawn}A\x1b[J`);
    this.#drawn = 0;
  }

  #draw(): void {
    this.clear();
    const width = this.#stream.columns || 80;
    const lines = [...this.#lines.values()].slice(-8).map((line) => line.slice(0, width - 1));
    this.#stream.write(lines.map((line) => `${line}\n`).join(''));
    this.#drawn = lines.length;
  }

  #print(line: string): void {
    const now = performance.now();
    if (this.#printedAt > 0 && now - this.#printedAt < 5_000) return;
    this.#printedAt = now;
    this.#stream.write(`${line}\n`);
  }
}
