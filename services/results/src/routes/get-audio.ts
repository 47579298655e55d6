import { ProblemSchema } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { checkTenantKey, isBucketAddress, type ReadableBucket, type TenantBuckets } from '@earshot/storage';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import Type from 'typebox';
import { parseRange } from './byte-range.ts';
import { mediaTypeOf } from './media-type.ts';
import { readTranscript, type TranscriptReaderDeps } from './read-transcript.ts';
import { canRead } from './scopes.ts';

async function firstBytes(storage: ReadableBucket, key: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of await storage.get(key, { start: 0, end: 15 })) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

async function sendObject(reply: FastifyReply, storage: ReadableBucket, key: string, range?: string) {
  const info = await storage.stat(key);
  if (!info) throw new CodedError('not_found', 'the recording is no longer stored');
  const size = info.size_bytes;
  const part = parseRange(range, size);
  reply
    .header('accept-ranges', 'bytes')
    .header('etag', `"${info.version}"`)
    .header('x-content-type-options', 'nosniff');
  if (part === 'unsatisfiable') {
    return reply.code(416).header('content-range', `bytes */${size}`).send();
  }
  reply.type(size > 0 ? mediaTypeOf(await firstBytes(storage, key)) : 'application/octet-stream');
  if (part === 'whole') return reply.header('content-length', size).send(await storage.get(key));
  reply
    .code(206)
    .header('content-range', `bytes ${part.start}-${part.end}/${size}`)
    .header('content-length', part.end - part.start + 1);
  return reply.send(await storage.get(key, part));
}

export interface AudioDeps extends TranscriptReaderDeps {
  /** Recordings that lie there are read there. */
  readonly buckets: Pick<TenantBuckets, 'find'>;
}

/** Where the recording lies; throws when the tenant may not, or no longer, read there. */
function placeOf({ storage, buckets }: AudioDeps, tenant: string, key: string) {
  if (isBucketAddress(key)) return buckets.find(tenant, key);
  return { bucket: storage, key: checkTenantKey(tenant, key) };
}

/** `GET /v1/transcripts/{id}/audio`: the recording as it came, with byte ranges so that players can seek. */
export function getAudio(deps: AudioDeps): FastifyPluginAsyncTypebox {
  return async (server) => {
    server.route({
      method: 'GET',
      url: '/v1/transcripts/:id/audio',
      // A HEAD route would read the whole recording to answer with nothing.
      exposeHeadRoute: false,
      preHandler: canRead,
      schema: {
        operationId: 'getTranscriptAudio',
        summary: 'Get the recording as it was uploaded',
        tags: ['transcripts'],
        params: Type.Object({ id: Type.String() }),
        response: { default: ProblemSchema },
      },
      handler: async (request, reply) => {
        const { tenant } = request.principal;
        const { key } = await readTranscript(deps, tenant, request.params.id);
        if (key === null) throw new CodedError('not_found', 'the recording is not known yet');
        const place = placeOf(deps, tenant, key);
        return sendObject(reply, place.bucket, place.key, request.headers.range);
      },
    });
  };
}
