import type { OutgoingMessage } from '@earshot/contracts';
import type { FactReader, FirstResult, Publisher, StoredFact } from '@earshot/jobs';

/** The two ports of the broker in memory; first-wins by subject, as the real one. */
export class FakeBroker implements Publisher, FactReader {
  readonly messages: OutgoingMessage[] = [];
  /** Called before a message is stored; may throw. */
  onPublish: (message: OutgoingMessage) => void | Promise<void> = () => {};

  async publish(message: OutgoingMessage): Promise<void> {
    await this.onPublish(message);
    this.messages.push(message);
  }

  async publishFirst(message: OutgoingMessage): Promise<FirstResult> {
    await this.onPublish(message);
    if (this.on(message.subject).length > 0) return 'already_there';
    this.messages.push(message);
    return 'stored';
  }

  async publishLater(): Promise<void> {
    throw new Error('handlers never schedule');
  }

  async last(pattern: string): Promise<StoredFact | undefined> {
    const matches = (subject: string) => {
      const words = pattern.split('.');
      const found = subject.split('.');
      return words.length === found.length && words.every((word, n) => word === '*' || word === found[n]);
    };
    const message = this.messages.findLast(({ subject }) => matches(subject));
    return message && { subject: message.subject, event: message.event, time: new Date() };
  }

  on(subject: string): OutgoingMessage[] {
    return this.messages.filter((message) => message.subject === subject);
  }
}
