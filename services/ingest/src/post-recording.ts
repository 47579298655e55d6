import {
  ProblemSchema,
  RecordingOptionsSchema,
  SubmitRecordingSchema,
  SubmittedSchema,
  transcriptLinks,
} from '@earshot/contracts';
import { CodedError, sniffRecording } from '@earshot/domain';
import { type DoorDeps, type Stored, storeRecording, submitRecording, traceparentOf } from '@earshot/intake';
import { requireScope } from '@earshot/service-kit';
import fastifyMultipart from '@fastify/multipart';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { discardBody } from './discard-body.ts';
import { readIdempotencyKey } from './idempotency-key.ts';
import { openForm } from './read-form.ts';
import type { StoreRoom } from './store-room.ts';

/** What the route needs beside the door's own dependencies. */
export interface PostRecordingDeps extends DoorDeps {
  readonly room: StoreRoom;
  readonly maxBytes: number;
}

const FORM_LIMITS = { fieldNameSize: 100, fieldSize: 64 * 1024, fields: 600, parts: 700 };

const FormSchema = Type.Object({
  file: Type.String({ format: 'binary', description: 'The recording.' }),
  ...RecordingOptionsSchema.properties,
});

const schema = {
  operationId: 'submitRecording',
  summary: 'Submit a recording',
  description:
    'As a multipart form with the field `file` and options as further fields, or as JSON with a storage key or the gs: address of a listed bucket. ' +
    'The answer comes once the recording is durable and its upload event is published.',
  tags: ['recordings'],
  headers: Type.Object({ 'idempotency-key': Type.Optional(Type.String({ maxLength: 256 })) }),
  body: {
    content: {
      'application/json': { schema: SubmitRecordingSchema },
      'multipart/form-data': { schema: FormSchema },
    },
  },
  response: { 202: SubmittedSchema, default: ProblemSchema },
};

/** `POST /v1/recordings`. */
export const postRecording =
  (deps: PostRecordingDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    await app.register(fastifyMultipart, {
      throwFileSizeLimit: false,
      limits: { ...FORM_LIMITS, fileSize: Number.MAX_SAFE_INTEGER },
    });
    app.addHook('onError', async (request) => discardBody(request.raw));
    app.post('/v1/recordings', {
      schema,
      // One reader checks forms, JSON and events; the schema above is for the API's description.
      validatorCompiler: () => () => true,
      preHandler: [
        requireScope('write', (detail) => new CodedError('forbidden', detail)),
        async (request) => refuseTooLarge(request, deps.maxBytes),
        async () => deps.room.requireForUpload(),
      ],
      handler: async (request, reply) => {
        const stored = await take(request, deps);
        const links = transcriptLinks(stored.id);
        return reply
          .code(202)
          .header('location', links.self)
          .send({ ...stored, status: 'queued', links });
      },
    });
  };

/** A body that says it is larger than any form may be is refused before it is sent. */
function refuseTooLarge({ headers }: FastifyRequest, maxBytes: number): void {
  const fields = FORM_LIMITS.fields * FORM_LIMITS.fieldSize;
  if (Number(headers['content-length'] ?? 0) > maxBytes + fields)
    throw new CodedError('too_large', `the recording has more than ${maxBytes} bytes`);
}

async function take(request: FastifyRequest, deps: PostRecordingDeps): Promise<Stored> {
  const { tenant } = request.principal;
  const key = readIdempotencyKey(request.headers['idempotency-key']);
  const common = { tenant, key, traceparent: traceparentOf(request.headers.traceparent) };
  if (!request.isMultipart()) return submitRecording({ ...common, given: jsonObject(request.body) }, deps);
  const form = await openForm(request.parts());
  const upload = { body: form.file, options: form.options, maxBytes: deps.maxBytes, sniff: sniffRecording };
  return storeRecording({ ...common, ...upload }, deps);
}

function jsonObject(body: unknown): Record<string, unknown> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body))
    return body as Record<string, unknown>;
  throw new CodedError('invalid_request', 'the body must be a JSON object with a uri, or a multipart form');
}
