import Type, { type Static, type TSchema } from 'typebox';

/** CloudEvents 1.0 in structured JSON: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md */
export const EnvelopeSchema = Type.Object({
  specversion: Type.Literal('1.0'),
  id: Type.String({ minLength: 1, maxLength: 512 }),
  source: Type.String({ minLength: 1, maxLength: 512 }),
  type: Type.String({ minLength: 1, maxLength: 128 }),
  time: Type.Optional(Type.String({ maxLength: 64 })),
  subject: Type.Optional(Type.String({ maxLength: 512 })),
  datacontenttype: Type.Optional(Type.String({ maxLength: 128 })),
  /** Storage key of the data when it is too large for a message (the `dataref` extension). */
  dataref: Type.Optional(Type.String({ maxLength: 1024 })),
  data: Type.Optional(Type.Unknown()),
});

/** A CloudEvent; `data` is absent exactly when `dataref` names where it is kept. */
export type CloudEvent<Data = unknown> = Omit<Static<typeof EnvelopeSchema>, 'data'> & { data?: Data };

/** An event on its way to a NATS subject, with the trace it belongs to. */
export interface OutgoingMessage<Data = unknown> {
  readonly subject: string;
  readonly event: CloudEvent<Data>;
  readonly traceparent?: string | undefined;
}

/** The JSON Schema of a whole message whose data follows `data`. */
export function envelopeOf(type: string, data: TSchema) {
  return Type.Object({ ...EnvelopeSchema.properties, type: Type.Literal(type), data: Type.Optional(data) });
}
