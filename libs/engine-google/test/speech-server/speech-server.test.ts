import { v2 } from '@google-cloud/speech';
import { grpc } from 'google-gax';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SpeechServer } from './speech-server.ts';

let server: SpeechServer;
let client: v2.SpeechClient;
beforeAll(async () => {
  server = await SpeechServer.start({
    objects: { read: async () => Buffer.alloc(32), write: async () => {} },
  });
  const [apiEndpoint = '', port] = server.endpoint.split(':');
  client = new v2.SpeechClient({
    ...{ apiEndpoint, port: Number(port), projectId: 'p', sslCreds: grpc.credentials.createInsecure() },
    credentials: { client_email: 'nobody@localhost', private_key: 'none' },
  });
});
afterAll(async () => {
  await client.close();
  await server.close();
});

const files = (count: number) => Array.from({ length: count }, (_, n) => ({ uri: `gs://b/${n}` }));
const good = {
  recognizer: 'projects/p/locations/us/recognizers/_',
  files: files(1),
  recognitionOutputConfig: { inlineResponseConfig: {} },
};
const toBucket = (uri: string) => ({ recognitionOutputConfig: { gcsOutputConfig: { uri } } });

describe('the local Speech-to-Text', () => {
  it('takes a request, and its operation ends with what the vendor’s client reads', async () => {
    const [operation] = await client.batchRecognize(good);
    expect(operation.name).toMatch(/^projects\/p\/locations\/us\/operations\/\d+$/);
    const [response] = await operation.promise();
    expect(Object.keys(response.results ?? {})).toEqual(['gs://b/0']);
    expect(Number(response.totalBilledDuration?.seconds)).toBe(1);
  });

  it.each([
    ['a recognizer that is none', { recognizer: 'default' }],
    ['no file', { files: [] }],
    ['16 files', { files: files(16), ...toBucket('gs://b/out') }],
    ['an address that is none of a bucket', { files: [{ uri: 'https://example.org/a.wav' }] }],
    ['a bucket without an object', { files: [{ uri: 'gs://b' }] }],
    ['several files inline', { files: files(2) }],
    ['an output that is no bucket', toBucket('/tmp/out')],
    ['no output', { recognitionOutputConfig: {} }],
  ])('refuses %s, for nothing', async (_, part) => {
    const paid = server.bill().length;
    await expect(client.batchRecognize({ ...good, ...part })).rejects.toMatchObject({
      code: grpc.status.INVALID_ARGUMENT,
    });
    expect(server.bill()).toHaveLength(paid);
  });
});
