import Type, { type TSchema } from 'typebox';
import { EnvelopeSchema, envelopeOf } from './envelope.ts';
import { messageKinds } from './message-kinds.ts';
import { RECORDING_UPLOADED, RecordingUploadedSchema } from './recording-uploaded/message.ts';
import { uploadSubject } from './subjects.ts';

type Json = Record<string, unknown>;

const CONTENT_TYPE = 'application/cloudevents+json';

/** Schemas carry notes of the schema library that are not JSON Schema. */
const plain = (schema: TSchema) => JSON.parse(JSON.stringify(schema)) as Json;

const uploadEvent = Type.Object({
  ...EnvelopeSchema.properties,
  type: Type.Literal(RECORDING_UPLOADED),
  data: RecordingUploadedSchema,
});

/** The JSON Schema of an upload event in structured mode, for programs that publish them. */
export function uploadEventSchema(): Json {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `urn:earshot:schema:${RECORDING_UPLOADED}`,
    title: 'Upload event',
    description: `CloudEvent that says a recording exists; publish it to ${uploadSubject('<tenant>')}.`,
    ...plain(uploadEvent),
  };
}

/** The AsyncAPI 3.0 document of everything on the broker. Pure: the same schemas give the same document. */
export function asyncApi(): Json {
  const messages = [
    {
      name: 'recordingUploaded',
      summary: 'A recording exists and shall be transcribed.',
      type: RECORDING_UPLOADED,
      address: uploadSubject('{tenant}'),
      payload: plain(uploadEvent),
      action: 'receive',
    },
    ...messageKinds.map(({ name, summary, kind, address }) => ({
      ...{ name, summary, address },
      type: kind.type,
      payload: plain(envelopeOf(kind.type, kind.schema)),
      action: 'send',
    })),
  ];
  const byName = (value: (message: (typeof messages)[number]) => Json) =>
    Object.fromEntries(messages.map((message) => [message.name, value(message)]));
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Earshot',
      version: '1.0.0',
      description: 'Messages on NATS JetStream: CloudEvents 1.0 in structured JSON, one schema per type.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: CONTENT_TYPE,
    channels: byName(({ name, address }) => ({
      address,
      parameters: parametersOf(address),
      messages: { [name]: { $ref: `#/components/messages/${name}` } },
    })),
    operations: byName(({ name, summary, action }) => ({
      action,
      summary,
      channel: { $ref: `#/channels/${name}` },
      messages: [{ $ref: `#/channels/${name}/messages/${name}` }],
    })),
    components: {
      messages: byName(({ name, summary, type, payload }) => ({
        name: type,
        title: name,
        summary,
        contentType: CONTENT_TYPE,
        headers: { type: 'object', properties: { traceparent: { type: 'string' } } },
        payload,
      })),
    },
  };
}

const MEANING: Readonly<Record<string, string>> = {
  tenant: 'Name of the tenant; `default` where nobody set one.',
  id: 'Id of the transcript.',
  lane: 'Priority.',
  engine: 'Name of the engine.',
  plan: 'Number of the cutting, from 1.',
  n: 'Number of the chunk, from 0.',
  stage: 'Step that gave up.',
};

function parametersOf(address: string): Json {
  const names = [...address.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
  return Object.fromEntries(names.map((name) => [name, { description: MEANING[name] ?? name }]));
}
