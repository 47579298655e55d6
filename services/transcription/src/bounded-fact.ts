import { randomUUID } from 'node:crypto';
import type { OutgoingMessage } from '@earshot/contracts';
import { type ObjectStorage, storageKeys } from '@earshot/storage';

/** Largest data of a fact that travels in the message itself. */
const MAX_FACT_BYTES = 256 * 1024;

/** The fact itself, or, when its data is too large for a message, the fact with the key under which storage has it. */
export async function boundedFact(
  storage: ObjectStorage,
  fact: OutgoingMessage<{ tenant_id: string; transcript_id: string }>,
): Promise<OutgoingMessage> {
  const { data, ...envelope } = fact.event;
  const json = Buffer.from(JSON.stringify(data));
  if (data === undefined || json.length <= MAX_FACT_BYTES) return fact;
  const dataref = storageKeys(data.tenant_id, data.transcript_id).fact(randomUUID());
  await storage.put(dataref, json);
  return { ...fact, event: { ...envelope, dataref } };
}
