import { type OutgoingMessage, parseFactSubject } from '@earshot/contracts';
import type { Publisher } from '@earshot/jobs';

/**
 * Publishes the last messages of a `done`, in their order. Jobs and facts go first-wins, so a second run changes
 * nothing; `gave_up` facts go plainly, because one of an older generation may lie on their subject.
 */
export async function publishLast(
  publisher: Publisher,
  messages: readonly OutgoingMessage[],
  onAlreadyThere: (subject: string) => void,
): Promise<void> {
  for (const message of messages) {
    if (parseFactSubject(message.subject)?.words[0] === 'gave_up') await publisher.publish(message);
    else if ((await publisher.publishFirst(message)) === 'already_there') onAlreadyThere(message.subject);
  }
}
