import { factSubjects, gaveUp } from '@earshot/contracts';
import { transcriptId } from '@earshot/intake';
import { eventually, freePort } from '@earshot/testkit';
import { UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IngestWorld, openIngest } from '../../test/ingest-world.ts';
import { openTokenOffice, type TokenOffice } from '../../test/token-office.ts';
import { uploadOf } from './notification.ts';

const ACCOUNT = 'earshot-push@project.iam.gserviceaccount.com';
const GOOD = { aud: 'https://earshot.test/push', email: ACCOUNT, email_verified: true, sub: '1' };
const BUCKETS = { acme: ['gs://acme-uploads', 'gs://shared'], umbrella: ['gs://shared/umbrella'] };

let office: TokenOffice;
let world: IngestWorld;
beforeAll(async () => {
  office = await openTokenOffice(GOOD);
  world = await openIngest({ buckets: BUCKETS, pusher: { serviceAccount: ACCOUNT, keys: office.keys } });
});
afterAll(async () => {
  await world.close();
  await office.close();
});

const change = (objectId: string, more: object = {}) => ({
  ...{ eventType: 'OBJECT_FINALIZE', bucketId: 'acme-uploads', objectId, objectGeneration: '17' },
  ...{
    payloadFormat: 'JSON_API_V1',
    notificationConfig: 'projects/_/buckets/acme-uploads/notificationConfigs/1',
  },
  ...more,
});

async function push(attributes: unknown, token?: string, at = world) {
  const body = {
    message: { attributes, data: 'e30=', messageId: '1' },
    subscription: 'projects/p/subscriptions/s',
  };
  return pushBody(JSON.stringify(body), token ?? (await office.token()), at);
}

async function pushBody(body: string | undefined, token: string, at = world) {
  const response = await fetch(`http://127.0.0.1:${at.port}/v1/events/pubsub`, {
    method: 'POST',
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  return [response.status, text === '' ? 'none' : (JSON.parse(text) as { code: string }).code];
}

const factsOf = (tenant: string, attributes: ReturnType<typeof change>) => {
  const { source, id } = uploadOf(tenant, attributes).event;
  return factSubjects(tenant, transcriptId(tenant, source, id));
};
const acceptedOf = async (tenant: string, attributes: ReturnType<typeof change>) =>
  (await world.broker.facts.last(factsOf(tenant, attributes).accepted))?.event.data;
const splitJobs = async () => Object.keys(await world.subjects('JOBS')).length;
const published = async () =>
  (await world.broker.api.call<{ state: { last_seq: number } }>('STREAM.INFO.UPLOADS')).state.last_seq;

describe('a push of Pub/Sub', () => {
  it('makes a new object one transcript of the tenant whose bucket it is in, however often it comes', async () => {
    const talk = change('in/talk ü#1.wav');
    const before = await splitJobs();
    for (let i = 0; i < 3; i += 1) expect(await push(talk)).toEqual([204, 'none']);
    await eventually('the acceptance', () => acceptedOf('acme', talk));
    expect(await acceptedOf('acme', talk)).toMatchObject({ key: 'gs://acme-uploads/in/talk ü#1.wav' });
    await eventually('all to be taken', async () => (await world.uploadsLeft()) === 0);
    expect(await splitJobs()).toBe(before + 1);
  });

  it('takes a new version of the object for another recording', async () => {
    const [old, replaced] = [change('again.wav'), change('again.wav', { objectGeneration: '18' })];
    await push(old);
    await push(replaced);
    await eventually(
      'both',
      async () => (await acceptedOf('acme', old)) && (await acceptedOf('acme', replaced)),
    );
  });

  it('gives an object to the tenant whose entry says most of its address', async () => {
    const theirs = change('umbrella/a.wav', { bucketId: 'shared' });
    await push(theirs);
    await eventually('the acceptance', () => acceptedOf('umbrella', theirs));
    expect(await acceptedOf('acme', theirs)).toBeUndefined();
  });

  it.each([
    ['another change', change('a.wav', { eventType: 'OBJECT_DELETE' })],
    ['an object of ours', change('earshot/acme/id/chunks/1-0-x', { bucketId: 'shared' })],
    ['a manifest of ours', change('earshot/acme/recordings/x.json', { bucketId: 'shared' })],
    ['a folder', change('in/')],
  ])('passes over %s', async (_, attributes) => {
    const before = await published();
    expect(await push(attributes)).toEqual([204, 'none']);
    expect(await published()).toBe(before);
  });

  it('leaves an object of nobody’s bucket with Pub/Sub, which sends it again', async () => {
    const before = await published();
    expect(await push(change('a.wav', { bucketId: 'acme-uploads-2' }))).toEqual([403, 'forbidden_bucket']);
    expect(await published()).toBe(before);
  });

  it('records what it cannot read as a dead letter, with what was pushed', async () => {
    const odd = { message: { attributes: { eventType: 'OBJECT_FINALIZE', bucketId: 'acme-uploads' } }, n: 7 };
    for (let i = 0; i < 2; i += 1)
      expect(await pushBody(JSON.stringify(odd), await office.token())).toEqual([204, 'none']);
    const facts = await eventually('the dead letter', async () => {
      const subjects = Object.keys(await world.subjects('TRANSCRIPTS'));
      const found = subjects.filter((subject) => /^transcripts\.default\..*\.gave_up\.accept/.test(subject));
      return found.length > 0 ? found : undefined;
    });
    expect(facts).toHaveLength(1);
    const fact = await world.broker.facts.last(facts[0] ?? '');
    expect(gaveUp.read(fact?.event as never)).toMatchObject({
      code: 'invalid_event',
      job: { event: { data: { pushed: odd } } },
    });
  });

  it('records a push without a body, which would come again for days', async () => {
    const before = await published();
    expect(await pushBody(undefined, await office.token())).toEqual([204, 'none']);
    expect(await published()).toBe(before + 1);
  });

  it('records an object whose name is no key as a dead letter of its tenant', async () => {
    const odd = change('in//talk.wav');
    expect(await push(odd)).toEqual([204, 'none']);
    const fact = await eventually('the dead letter', () =>
      world.broker.facts.last(factsOf('acme', odd).gaveUp('accept', 0, 0)),
    );
    expect(gaveUp.read(fact.event as never)).toMatchObject({ code: 'forbidden_key' });
  });

  const hourAgo = Math.floor(Date.now() / 1000) - 3_600;
  it.each([
    ['no token', async () => ''],
    ['what is no token', async () => 'x.y.z'],
    ['an API key', async () => 'acme:write'],
    ['another audience', () => office.token({ aud: 'https://elsewhere.test' })],
    ['another account', () => office.token({ email: 'somebody@project.iam.gserviceaccount.com' })],
    ['an address nobody verified', () => office.token({ email_verified: false })],
    ['an address that is said to be verified', () => office.token({ email_verified: 'true' })],
    ['no address', () => office.token({ email: undefined })],
    ['another issuer', () => office.token({ iss: 'https://accounts.google.com.evil.test' })],
    ['a token that has expired', () => office.token({ iat: hourAgo - 60, exp: hourAgo })],
    ['a token without an end', () => office.token({ exp: undefined })],
    ['an unknown key', () => office.token({}, { kid: 'two' })],
    ['another key under a known name', () => office.forged()],
    [
      'an unsigned token',
      async () =>
        new UnsecuredJWT({ ...GOOD, iss: 'https://accounts.google.com', exp: hourAgo + 7_200 }).encode(),
    ],
  ])('is refused with %s', async (_, token) => {
    const before = await published();
    expect(await push(change('a.wav'), await token())).toEqual([401, 'unauthorized']);
    expect(await published()).toBe(before);
  });

  it('keeps the keys, so that a flood of pushes is no flood at Google', async () => {
    await push(change('a.wav', { eventType: 'OBJECT_DELETE' }));
    const before = office.asked();
    for (let i = 0; i < 20; i += 1) await push(change('a.wav', { eventType: 'OBJECT_DELETE' }));
    expect(office.asked()).toBe(before);
  });

  it('comes again while the keys cannot be had', async () => {
    const keys = new URL(`http://127.0.0.1:${await freePort()}/certs`);
    const blind = await openIngest({ buckets: BUCKETS, pusher: { serviceAccount: ACCOUNT, keys } });
    expect(await push(change('a.wav'), undefined, blind)).toEqual([503, 'unavailable']);
    await blind.close();
  });

  it('is not taken where nobody said who may push', async () => {
    const closed = await openIngest({ buckets: BUCKETS });
    expect(await push(change('a.wav'), undefined, closed)).toEqual([404, 'not_found']);
    await closed.close();
  });
});
