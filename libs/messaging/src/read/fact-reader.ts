import { type CloudEvent, STREAMS } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { FactReader, StoredFact } from '@earshot/jobs';
import { ERR, type JsApi, JsApiError } from '../connection/js-api.ts';

interface StoredMessage {
  readonly message: { subject: string; seq: number; time: string; data?: string };
}

/** A fact with its place in the stream. */
export interface SequencedFact extends StoredFact {
  readonly seq: number;
}

/** Reads facts, or jobs, from the stream's leader; a direct get may be answered by a replica that lags. */
export class BrokerFactReader implements FactReader {
  readonly #api: JsApi;
  readonly #stream: string;

  constructor(api: JsApi, stream: string = STREAMS.transcripts) {
    this.#api = api;
    this.#stream = stream;
  }

  /** The newest message on `subject` (wildcards allowed), or undefined; `unavailable` after `limitMs` without an answer. */
  async last(subject: string, limitMs = 5_000): Promise<SequencedFact | undefined> {
    try {
      const body = { last_by_subj: subject };
      const { message } = await this.#api.call<StoredMessage>(
        `STREAM.MSG.GET.${this.#stream}`,
        body,
        limitMs,
      );
      const time = new Date(message.time);
      return { subject: message.subject, seq: message.seq, time, event: readEvent(message.data ?? '') };
    } catch (error) {
      if (error instanceof JsApiError && error.errCode === ERR.messageNotFound) return undefined;
      if (error instanceof JsApiError) throw new CodedError('unavailable', error.message, { cause: error });
      throw error;
    }
  }
}

function readEvent(base64: string): CloudEvent {
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString()) as CloudEvent;
  } catch (error) {
    throw new CodedError('unreadable_message', 'a stored message is not JSON', { cause: error });
  }
}
