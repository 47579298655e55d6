import { createHash } from 'node:crypto';
import { DEFAULT_TENANT, type OutgoingMessage, RECORDING_UPLOADED, uploadSubject } from '@earshot/contracts';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/schema';

const text = Type.String({ minLength: 1, maxLength: 2048 });

/** What Pub/Sub pushes for a change in a bucket; the attributes tell all that is needed. */
export const PushSchema = Type.Object({
  message: Type.Object({
    attributes: Type.Object({
      eventType: text,
      bucketId: text,
      objectId: text,
      objectGeneration: Type.String({ pattern: '^\\d{1,20}$' }),
    }),
    messageId: Type.Optional(Type.String()),
    publishTime: Type.Optional(Type.String()),
  }),
  subscription: Type.Optional(Type.String()),
});

/** A new version of an object, or another change, in a bucket. */
export type BucketChange = Static<typeof PushSchema>['message']['attributes'];

const push = Compile(PushSchema);

/** The change that a push tells of; undefined when it is of another form. */
export const readChange = (body: unknown): BucketChange | undefined =>
  push.Check(body) ? body.message.attributes : undefined;

/** The upload event of a new object; the same version of an object gives the same event, however often it is pushed. */
export function uploadOf(
  tenant: string,
  { bucketId, objectId, objectGeneration }: BucketChange,
): OutgoingMessage {
  return upload({
    tenant,
    source: `//storage.googleapis.com/projects/_/buckets/${bucketId}`,
    id: hashOf(`${objectId}\n${objectGeneration}`),
    data: { uri: `gs://${bucketId}/${objectId}` },
  });
}

/** An upload event that is given up on, so that what was pushed is found among the dead letters. */
export const unreadablePush = (body: unknown): OutgoingMessage =>
  upload({
    tenant: DEFAULT_TENANT,
    source: 'earshot/pubsub',
    id: hashOf(JSON.stringify(body ?? null)),
    data: { pushed: body ?? null },
  });

function upload(parts: { tenant: string; source: string; id: string; data: object }): OutgoingMessage {
  const { tenant, ...attributes } = parts;
  const event = { specversion: '1.0', type: RECORDING_UPLOADED, time: new Date().toISOString() } as const;
  return { subject: uploadSubject(tenant), event: { ...event, ...attributes } };
}

const hashOf = (value: string) => createHash('sha256').update(value).digest('hex');
