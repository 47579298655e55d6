import { type JsApi, unlessMissing } from '../connection/js-api.ts';

/** A stream as the broker describes it; only what we read. */
export interface StreamInfo {
  readonly created: string;
  readonly config: Readonly<Record<string, unknown>> & { readonly name: string; readonly max_bytes: number };
  readonly state: {
    readonly messages: number;
    readonly bytes: number;
    readonly first_seq: number;
    readonly last_seq: number;
  };
}

/** A consumer as the broker describes it; only what we read. */
export interface ConsumerInfo {
  readonly config: Readonly<Record<string, unknown>>;
  readonly ack_floor: { readonly stream_seq: number };
  readonly num_pending: number;
  readonly num_ack_pending: number;
  readonly paused?: boolean;
  /** The broker's clock when it answered. */
  readonly ts: string;
}

/** The stream, or undefined when there is none. */
export function findStream(api: JsApi, stream: string): Promise<StreamInfo | undefined> {
  return unlessMissing(api.call<StreamInfo>(`STREAM.INFO.${stream}`));
}

/** The consumer, or undefined when it or its stream does not exist. */
export function findConsumer(api: JsApi, stream: string, durable: string): Promise<ConsumerInfo | undefined> {
  return unlessMissing(api.call<ConsumerInfo>(`CONSUMER.INFO.${stream}.${durable}`));
}
