import {
  accepted,
  type CloudEvent,
  chunkFact,
  gaveUp,
  parseFactSubject,
  splitFact,
} from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { ReceivedFact } from '@earshot/messaging';
import { checkTenantKey, type ObjectStorage } from '@earshot/storage';
import type { Fact, FactData, FactKind, ReadableFact } from './fact.ts';
import { unreadable } from './unreadable-fact.ts';

/** What is used of a message of the fact loop. */
export type ReceivedMessage = Pick<ReceivedFact, 'subject' | 'event' | 'bytes' | 'seq' | 'traceparent'>;

/** Facts kept in storage are at most this large; a minute of words is far below it. */
const MAX_DATA_BYTES = 128 * 1024 * 1024;

/** States are written by results itself, so reading them back tells it nothing. */
const OWN_STATES = new Set(['completed', 'partial', 'failed', 'canceled', 'deleted']);

async function readData(event: CloudEvent, tenant: string, storage: ObjectStorage): Promise<CloudEvent> {
  if (event.data !== undefined || event.dataref === undefined) return event;
  const key = checkTenantKey(tenant, String(event.dataref));
  const info = await storage.stat(key);
  const fits = info && info.size_bytes <= MAX_DATA_BYTES;
  const bytes = fits ? await storage.read(key, MAX_DATA_BYTES) : undefined;
  if (!bytes) throw new CodedError('unreadable_result', 'the data of the fact is no longer in storage');
  try {
    return { ...event, data: JSON.parse(bytes.toString('utf8')) };
  } catch (cause) {
    throw new CodedError('unreadable_result', 'the data of the fact in storage is not JSON', { cause });
  }
}

type Content = { [Kind in FactKind]: { readonly kind: Kind; readonly data: FactData[Kind] } }[FactKind];

/** The content, and the words after the transcript that its subject must have. */
function contentOf(word: string | undefined, event: CloudEvent): Content & { words: string } {
  switch (word) {
    case 'accepted':
      return { kind: 'accepted', data: accepted.read(event), words: 'accepted' };
    case 'split': {
      const data = splitFact.read(event);
      return { kind: 'split', data, words: `split.${data.plan}` };
    }
    case 'chunk': {
      const data = chunkFact.read(event);
      return { kind: 'chunk', data, words: `chunk.${data.plan}.${data.n}` };
    }
    case 'gave_up': {
      const data = gaveUp.read(event);
      return { kind: 'gave_up', data, words: `gave_up.${data.stage}.${data.plan}.${data.n}` };
    }
    default:
      throw new CodedError('unreadable_message', `no fact is called ${word}`);
  }
}

async function read(message: ReceivedMessage, storage: ObjectStorage): Promise<ReadableFact | undefined> {
  const address = parseFactSubject(message.subject);
  if (!address) throw new CodedError('unreadable_message', 'the subject names no transcript');
  const [word] = address.words;
  if (address.words.length === 1 && OWN_STATES.has(word as string)) return undefined;
  if (!message.event) throw new CodedError('unreadable_message', 'the message is not a CloudEvent');
  const content = contentOf(word, await readData(message.event, address.tenant, storage));
  const { tenant_id, transcript_id } = content.data;
  const claimed = `transcripts.${tenant_id}.${transcript_id}.${content.words}`;
  if (claimed !== message.subject) {
    throw new CodedError('unreadable_message', `the data belongs on ${claimed}`);
  }
  const { subject, seq, traceparent, bytes } = message;
  return { ...content, subject, seq, traceparent, bytes, time: timeOf(message.event) };
}

function timeOf({ time }: CloudEvent): Date {
  const told = new Date(time ?? Number.NaN);
  return Number.isNaN(told.getTime()) ? new Date() : told;
}

/**
 * Reads and checks a message, with its data from storage when it is kept there. Undefined for our own final states.
 * Rejects only when storage cannot be asked just now; whatever is wrong with the message itself makes it unreadable.
 */
export async function readFact(message: ReceivedMessage, storage: ObjectStorage): Promise<Fact | undefined> {
  try {
    return await read(message, storage);
  } catch (error) {
    if (error instanceof CodedError && error.class !== 'transient') return unreadable(message, error);
    throw error;
  }
}
