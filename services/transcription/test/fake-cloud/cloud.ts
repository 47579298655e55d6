import { appendFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { type Behaviour, type Fault, healthy, type LogLine, type Stats } from './behaviour.ts';
import { Operations } from './operations.ts';
import { type SoundingChannel, spokenText } from './spoken-text.ts';

/** A call as it comes over the wire. */
export interface CallBody {
  /** Output URI of a `lookup` call, key of a `blind` one, hash of a free one. */
  readonly key: string;
  readonly language: string;
  readonly channels: readonly SoundingChannel[];
  /** Of all channels together; the vendor charges for every second that was begun. */
  readonly audio_ms?: number;
}

const lost: ReadonlySet<Fault | undefined> = new Set(['lose_reply', 'hang_after'] as const);

/** A speech vendor that takes money for every call it gets and never asks whether it had the same one before. */
export class FakeCloud {
  #behaviour: Behaviour = healthy;
  #faults: Fault[] = [];
  readonly #operations = new Operations();
  readonly #logFile: string;
  #poison: ReadonlySet<string> = new Set();
  readonly #inFlight = new Count();
  readonly #inFlightOf = { call: new Count(), transcribe: new Count(), free: new Count() };
  #billed = 0;

  constructor(logFile: string) {
    this.#logFile = logFile;
  }

  behave(change: Partial<Behaviour>): void {
    this.#behaviour = { ...this.#behaviour, ...change };
    if (change.faults) this.#faults = [...change.faults];
    if (change.poison) this.#poison = new Set(change.poison);
    if (change.operation_ms !== undefined) this.#operations.retime(change.operation_ms);
  }

  stats(): Stats {
    const { now, peak } = this.#inFlight;
    const peaks = Object.entries(this.#inFlightOf).map(([kind, count]) => [kind, count.peak] as const);
    return { in_flight: now, peak_in_flight: peak, peaks: Object.fromEntries(peaks), billed: this.#billed };
  }

  /** Places an operation and answers its name. */
  async call(body: CallBody, response: ServerResponse): Promise<void> {
    const fault = this.#isPoison(body) ? 'fail_for_good' : this.#faults.shift();
    const leave = this.#enter('call');
    if (this.#stopped(fault, body, 'call', response, leave)) return;
    const { operation_ms, visible_after_ms } = this.#behaviour;
    const billedMs = priceOf(body);
    const run = {
      operationMs: operation_ms,
      visibleAfterMs: visible_after_ms,
      billedMs,
      fault,
      ended: leave,
    };
    const operation = this.#operations.start(body.key, spokenText(body.channels, body.language), run);
    this.#note('call', body.key, { operation, billedMs, fault });
    await this.#answer(response, fault, { operation });
  }

  /** Answers the text itself; `free` costs nothing. */
  async transcribe(kind: 'transcribe' | 'free', body: CallBody, response: ServerResponse): Promise<void> {
    const fault = this.#isPoison(body) ? 'unreadable' : this.#faults.shift();
    const leave = this.#enter(kind);
    if (this.#stopped(fault, body, kind, response, leave)) return;
    const billedMs = kind === 'transcribe' ? priceOf(body) : undefined;
    this.#note(kind, body.key, { billedMs, fault });
    response.once('close', leave);
    await this.#answer(response, fault, {
      result: spokenText(body.channels, body.language),
      billed_ms: billedMs,
    });
  }

  poll(name: string, response: ServerResponse): void {
    this.#note('poll', '', { operation: name });
    const answer = this.#operations.get(name);
    if (answer) send(response, 200, answer);
    else send(response, 404, { message: 'there is no such operation' });
  }

  find(outputUri: string, response: ServerResponse): void {
    const operation = this.#operations.find(outputUri);
    this.#note('find', outputUri, { operation });
    send(response, 200, { operations: operation ? [operation] : [] });
  }

  cancel(name: string, response: ServerResponse): void {
    this.#note('cancel', '', { operation: name });
    send(response, 200, { canceled: this.#operations.cancel(name) });
  }

  /** True when the call met a fault before it arrived; it costs nothing then. */
  #stopped(
    fault: Fault | undefined,
    { key }: CallBody,
    kind: LogLine['kind'],
    response: ServerResponse,
    leave: () => void,
  ): boolean {
    const stop = fault && this.#stops[fault];
    if (!stop) return false;
    this.#note(kind, key, { fault });
    response.once('close', leave);
    stop(response);
    return true;
  }

  readonly #stops: Partial<Record<Fault, (response: ServerResponse) => void>> = {
    refuse: (response) => send(response, 400, { message: 'the vendor does not want this call' }),
    unreadable: (response) => send(response, 422, { message: 'the audio cannot be read' }),
    error: (response) => send(response, 503, { message: 'the vendor is not well' }),
    quota: (response) => {
      response.setHeader('retry-after', this.#behaviour.retry_after_s);
      send(response, 429, { message: 'too many calls' });
    },
    drop: (response) => void response.destroy(),
    hang: () => {},
  };

  async #answer(response: ServerResponse, fault: Fault | undefined, body: object): Promise<void> {
    await pause(this.#behaviour.answer_ms);
    if (fault === 'lose_reply') response.destroy();
    if (!lost.has(fault)) send(response, 200, body);
  }

  #isPoison({ channels }: CallBody): boolean {
    return channels.some(({ audio }) => this.#poison.has(audio));
  }

  #enter(kind: 'call' | 'transcribe' | 'free'): () => void {
    const counts = [this.#inFlight, this.#inFlightOf[kind]];
    for (const count of counts) count.add(1);
    let inside = true;
    return () => {
      if (inside) for (const count of counts) count.add(-1);
      inside = false;
    };
  }

  #note(
    kind: LogLine['kind'],
    key: string,
    what: { operation?: string | undefined; billedMs?: number | undefined; fault?: Fault | undefined },
  ): void {
    const { operation = null, billedMs, fault = null } = what;
    const billed = billedMs !== undefined;
    if (billed) this.#billed += 1;
    const cost = { billed, billed_ms: billedMs ?? 0 };
    const line: LogLine = { time: new Date().toISOString(), kind, key, operation, ...cost, fault };
    appendFileSync(this.#logFile, `${JSON.stringify(line)}\n`);
  }
}

const priceOf = ({ audio_ms = 0 }: CallBody) => Math.ceil(audio_ms / 1000) * 1000;

class Count {
  now = 0;
  peak = 0;

  add(change: number): void {
    this.now += change;
    this.peak = Math.max(this.peak, this.now);
  }
}

export function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

export async function readJson<T>(request: IncomingMessage): Promise<T> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString()) as T;
}
