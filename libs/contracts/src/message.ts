import { CodedError } from '@earshot/domain';
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/schema';
import type { CloudEvent, OutgoingMessage } from './envelope.ts';

/** Who publishes, and in which trace. */
export interface MessageContext {
  /** The CloudEvents source, e.g. `earshot/ingest`. */
  readonly source: string;
  readonly traceparent?: string | undefined;
}

/** One kind of message: its versioned type, its schema, where it goes and how it is read. */
export interface MessageKind<Schema extends TSchema> {
  readonly type: string;
  readonly schema: Schema;
  /** A new message with its own random id. */
  create(data: Static<Schema>, context: MessageContext): OutgoingMessage<Static<Schema>>;
  /** The data of a received event; throws `unreadable_message` when type or data do not fit. */
  read(event: CloudEvent): Static<Schema>;
}

/** Declares a message; `subjectOf` gives the NATS subject from the data, and is the only place that does. */
export function defineMessage<Schema extends TSchema>(
  type: string,
  schema: Schema,
  subjectOf: (data: Static<Schema>) => string,
): MessageKind<Schema> {
  const validator = Compile(schema);
  return {
    type,
    schema,
    create: (data, context) => ({
      subject: subjectOf(data),
      event: {
        specversion: '1.0',
        id: crypto.randomUUID(),
        source: context.source,
        type,
        time: new Date().toISOString(),
        datacontenttype: 'application/json',
        data,
      },
      traceparent: context.traceparent,
    }),
    read: (event) => {
      if (event.type !== type) {
        throw new CodedError('unreadable_message', `expected a message of type ${type}, got ${event.type}`);
      }
      if (!validator.Check(event.data)) {
        throw new CodedError('unreadable_message', `the data of ${type} does not match its schema`, {
          errors: validator
            .Errors(event.data)[1]
            .map((error) => `${error.instancePath || '/'} ${error.message}`),
        });
      }
      return event.data as Static<Schema>;
    },
  };
}
