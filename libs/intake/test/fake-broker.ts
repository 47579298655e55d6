import type { OutgoingMessage } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { EngineDirectory, FactReader, FirstResult, Publisher, StoredFact } from '@earshot/jobs';

/** True when a subject matches a filter with `*` and `>`. */
function matches(filter: string, subject: string): boolean {
  const words = subject.split('.');
  const parts = filter.split('.');
  return (
    parts.every(
      (part, i) => part === '>' || (words[i] !== undefined && (part === '*' || part === words[i])),
    ) && (parts.at(-1) === '>' ? words.length >= parts.length : words.length === parts.length)
  );
}

/** Our own ports over a list of messages, with the broker's rule for first messages. */
export class FakeBroker implements Publisher, FactReader, EngineDirectory {
  messages: OutgoingMessage[] = [];
  engines = new Set(['sherpa', 'google']);

  async publish(message: OutgoingMessage): Promise<void> {
    this.messages.push(message);
  }

  async publishFirst(message: OutgoingMessage, scope = message.subject): Promise<FirstResult> {
    if (this.on(scope).length > 0) return 'already_there';
    this.messages.push(message);
    return 'stored';
  }

  async publishLater(): Promise<void> {
    throw new Error('intake schedules nothing');
  }

  async last(subject: string): Promise<StoredFact | undefined> {
    const message = this.on(subject).at(-1);
    return message && { subject: message.subject, event: message.event, time: new Date() };
  }

  async hasEngine(engine: string): Promise<boolean> {
    return this.engines.has(engine);
  }

  /** Messages on the subjects that `filter` matches, oldest first. */
  on(filter: string): OutgoingMessage[] {
    return this.messages.filter((message) => matches(filter, message.subject));
  }

  /** A consumer took these: work-queue streams forget, limits streams reach their age. */
  forget(filter: string): void {
    this.messages = this.messages.filter((message) => !matches(filter, message.subject));
  }
}

/** Which call fails, and whether its effect happened before the failure. */
export interface Fault {
  readonly call: number;
  readonly when: 'before' | 'after';
}

/** Counts calls over several objects and lets one of them fail, as a crash or a lost answer would. */
export class Faults {
  calls: string[] = [];
  readonly #fault: Fault | undefined;

  constructor(fault?: Fault) {
    this.#fault = fault;
  }

  /** `target` with every method counted. */
  wrap<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (object, name) => {
        const member = Reflect.get(object, name) as unknown;
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => this.#call(String(name), () => Reflect.apply(member, object, args));
      },
    });
  }

  async #call(name: string, run: () => unknown): Promise<unknown> {
    const here = this.#fault?.call === this.calls.push(name) ? this.#fault.when : undefined;
    if (here === 'before') throw new CodedError('unavailable', `crash before ${name}`);
    const result = await run();
    if (here === 'after') throw new CodedError('unavailable', `crash after ${name}`);
    return result;
  }
}
