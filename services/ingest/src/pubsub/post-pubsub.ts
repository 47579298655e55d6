import { ProblemSchema } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { traceparentOf } from '@earshot/intake';
import type { Publisher } from '@earshot/jobs';
import type { Logger } from '@earshot/service-kit';
import type { TenantBuckets } from '@earshot/storage';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import type { StoreRoom } from '../store-room.ts';
import { type BucketChange, PushSchema, readChange, unreadablePush, uploadOf } from './notification.ts';
import { type PushDoor, pushDoor } from './push-door.ts';

/** What the route needs. */
export interface PostPubsubDeps {
  readonly publisher: Publisher;
  readonly buckets: Pick<TenantBuckets, 'tenantOf' | 'isOurs'>;
  readonly room: StoreRoom;
  readonly door: PushDoor;
  readonly log: Logger;
}

const schema = {
  operationId: 'pushBucketNotification',
  summary: 'Take a bucket notification that Pub/Sub pushes',
  description:
    'A new object in a bucket of a tenant becomes an upload event; other changes are passed over. Asks for the OIDC token of ' +
    'the push subscription instead of an API key.',
  tags: ['recordings'],
  security: [{ token: [] }],
  body: PushSchema,
  response: { 204: Type.Null({ description: 'Published, or passed over.' }), default: ProblemSchema },
};

/** `POST /v1/events/pubsub`. Every answer but 2xx makes Pub/Sub push again, for as long as the subscription keeps it. */
export const postPubsub = (deps: PostPubsubDeps): FastifyPluginAsyncTypebox => {
  const check = pushDoor(deps.door);
  return async (app) => {
    app.post('/v1/events/pubsub', {
      schema,
      config: { ownDoor: true },
      // What cannot be read is recorded, not refused: refused, it would come again for days.
      validatorCompiler: () => () => true,
      onRequest: async (request) => check(request.headers.authorization),
      handler: async (request, reply) => {
        await take(request.body, traceparentOf(request.headers.traceparent), deps);
        return reply.code(204).send(null);
      },
    });
  };
};

async function take(body: unknown, traceparent: string | undefined, deps: PostPubsubDeps): Promise<void> {
  const change = readChange(body);
  if (change && !isNewRecording(change, deps)) return;
  await deps.room.requireForUpload();
  const message = change ? uploadOf(ownerOf(change, deps), change) : unreadablePush(body);
  await deps.publisher.publish({ ...message, traceparent });
  if (!change) deps.log.warn({ event_id: message.event.id }, 'a push of Pub/Sub cannot be read');
}

/** Our own objects lead to no recordings: each would lead to more objects. Names that end with a slash stand for folders. */
const isNewRecording = ({ eventType, bucketId, objectId }: BucketChange, { buckets }: PostPubsubDeps) =>
  eventType === 'OBJECT_FINALIZE' &&
  !objectId.endsWith('/') &&
  !buckets.isOurs({ bucket: bucketId, key: objectId });

function ownerOf({ bucketId, objectId }: BucketChange, { buckets, log }: PostPubsubDeps): string {
  const tenant = buckets.tenantOf({ bucket: bucketId, key: objectId });
  if (tenant) return tenant;
  log.warn({ bucket: bucketId }, 'Pub/Sub tells of a bucket that is in no list of EARSHOT_BUCKETS_FILE');
  throw new CodedError('forbidden_bucket', 'the bucket is in no list of EARSHOT_BUCKETS_FILE');
}
