import { Readable } from 'node:stream';
import { ProblemSchema, TranscriptSchema } from '@earshot/contracts';
import { type Cue, CueSheet, hasSeveralVoices, toSrt, toText, toVtt } from '@earshot/domain';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { type FoundTranscript, readTranscript, type TranscriptReaderDeps } from './read-transcript.ts';
import { canRead } from './scopes.ts';
import { transcriptJson } from './transcript-json.ts';

const ParamsSchema = Type.Object({ id: Type.String() });

interface Format {
  readonly extension: string;
  readonly type: string;
  write(found: FoundTranscript): string | Promise<string | Readable>;
}

const JSON_TYPE = 'application/json; charset=utf-8';

async function cuesOf({ spoken, segments }: FoundTranscript): Promise<Cue[]> {
  const sheet = new CueSheet(hasSeveralVoices(spoken));
  for await (const segment of segments.all()) sheet.add(segment);
  return sheet.cues();
}

async function asJson(found: FoundTranscript): Promise<Readable> {
  await found.segments.prepare();
  return Readable.from(transcriptJson(found));
}

const FORMATS: readonly Format[] = [
  { extension: 'txt', type: 'text/plain; charset=utf-8', write: ({ spoken }) => toText(spoken) },
  {
    extension: 'srt',
    type: 'application/x-subrip; charset=utf-8',
    write: async (found) => toSrt(await cuesOf(found)),
  },
  { extension: 'vtt', type: 'text/vtt; charset=utf-8', write: async (found) => toVtt(await cuesOf(found)) },
  { extension: 'json', type: JSON_TYPE, write: asJson },
];

/** True when the reader already has this version. */
function isKnown(request: FastifyRequest, etag: string): boolean {
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return known?.some((tag) => tag === etag || tag === '*') ?? false;
}

/** Bytes, because the JSON serializer of these routes would put a string in quotes. */
const asBytes = (body: string | Readable) => (typeof body === 'string' ? Buffer.from(body) : body);

async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  found: FoundTranscript,
  format: string,
  write: Format['write'],
) {
  const etag = `"${found.etag}-${format}"`;
  reply.header('etag', etag).header('cache-control', 'private, no-cache');
  return isKnown(request, etag) ? reply.code(304).send() : reply.send(asBytes(await write(found)));
}

/** `GET /v1/transcripts/{id}` and its downloads; before the end they hold the chunks that are ready. */
export function getTranscript(deps: TranscriptReaderDeps): FastifyPluginAsyncTypebox {
  return async (server) => {
    server.route({
      method: 'GET',
      url: '/v1/transcripts/:id',
      preHandler: canRead,
      schema: {
        operationId: 'getTranscript',
        summary: 'Get a transcript, finished or not',
        tags: ['transcripts'],
        params: ParamsSchema,
        response: { 200: TranscriptSchema, default: ProblemSchema },
      },
      handler: async (request, reply) => {
        const found = await readTranscript(deps, request.principal.tenant, request.params.id);
        return answer(request, reply.type(JSON_TYPE), found, 'doc', asJson);
      },
    });
    for (const { extension, type, write } of FORMATS) {
      server.route({
        method: 'GET',
        url: `/v1/transcripts/:id.${extension}`,
        preHandler: canRead,
        schema: {
          operationId: `downloadTranscript${extension[0]?.toUpperCase()}${extension.slice(1)}`,
          summary: `Download a transcript as ${extension}`,
          tags: ['transcripts'],
          params: ParamsSchema,
          produces: [type],
          response: { 200: Type.String(), default: ProblemSchema },
        },
        handler: async (request, reply) => {
          const found = await readTranscript(deps, request.principal.tenant, request.params.id);
          reply
            .type(type)
            .header('content-disposition', `attachment; filename="${found.head.id}.${extension}"`);
          return answer(request, reply, found, extension, write);
        },
      });
    }
  };
}
