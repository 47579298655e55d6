import { randomUUID } from 'node:crypto';
import { STREAMS, workerStateSubject } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { readPubAck } from '../publish/pub-ack.ts';
import type { Broker } from './broker.ts';

/**
 * Stores a message in JetStream, reads it back and removes it; throws `unavailable` when what comes back is not what was
 * stored, or nothing does. It goes through the bucket `workers`, whose entries pass by themselves.
 */
export async function roundTrip({ requests, api }: Broker): Promise<void> {
  const sent = randomUUID();
  const subject = workerStateSubject(`health.${sent}`);
  const ack = readPubAck(await requests.request(subject, sent, { timeoutMs: 5_000 }));
  if (ack.kind !== 'stored') throw new CodedError('unavailable', 'JetStream did not store a message');
  const { seq } = ack;
  const { message } = await api.call<{ message: { data?: string } }>(`STREAM.MSG.GET.${STREAMS.workers}`, {
    seq,
  });
  if (Buffer.from(message.data ?? '', 'base64').toString() !== sent) {
    throw new CodedError('unavailable', 'JetStream gave back another message than it stored');
  }
  await api.call(`STREAM.MSG.DELETE.${STREAMS.workers}`, { seq, no_erase: true });
}
