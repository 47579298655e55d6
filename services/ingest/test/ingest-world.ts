import type { AddressInfo } from 'node:net';
import { toProblem, topology } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { applyTopology, connectBroker } from '@earshot/messaging';
import { createHttpServer, createLogger, type Principal } from '@earshot/service-kit';
import { parseBucketList, tenantBuckets } from '@earshot/storage';
import { openFileStorage } from '@earshot/storage-file';
import { startTestBroker, tempFolder } from '@earshot/testkit';
import { startIngest } from '../src/service.ts';
import { rawPublish } from './raw-publish.ts';

const MB = 1024 * 1024;

/** Ingest with a real broker and a real HTTP listener; the bearer token names the tenant. */
export async function openIngest(
  options: {
    maxFile?: number;
    maxRecordingMb?: number;
    factsDays?: number;
    /** EARSHOT_BUCKETS_FILE. */
    buckets?: Record<string, string[]>;
    /** Who may push notifications of buckets, at the audience `https://earshot.test/push`. */
    pusher?: { serviceAccount: string; keys: URL };
  } = {},
) {
  const server = await startTestBroker(options);
  const folder = await tempFolder();
  const log = createLogger({ service: 'ingest', level: 'silent' });
  const broker = await connectBroker({ servers: [server.url], name: 'test', log });
  const storeBytes = options.maxFile ?? 512 * MB;
  await applyTopology(
    broker,
    topology({
      engines: ['sherpa'],
      ackWaitSeconds: 5,
      maxAckPending: {},
      storeBytes,
      factsDays: options.factsDays ?? 7,
      replicas: 1,
    }),
  );
  const storage = await openFileStorage({ root: folder.path });
  const buckets = tenantBuckets({
    list: () => parseBucketList(JSON.stringify(options.buckets ?? {})),
    open: () => {
      throw new Error('ingest reads no bucket');
    },
    isOurs: ({ bucket, key }) => bucket === 'shared' && key.startsWith('earshot/'),
  });
  const config = {
    EARSHOT_ENGINES: 'sherpa',
    EARSHOT_FACTS_DAYS: options.factsDays ?? 7,
    EARSHOT_ACK_WAIT_SECONDS: 5,
    EARSHOT_MAX_RECORDING_MB: options.maxRecordingMb ?? 1024,
    EARSHOT_NATS_STORE_BYTES: storeBytes,
    ...(options.pusher
      ? {
          EARSHOT_PUBSUB_AUDIENCE: 'https://earshot.test/push',
          EARSHOT_PUBSUB_SERVICE_ACCOUNT: options.pusher.serviceAccount,
        }
      : {}),
  };
  const ingest = startIngest({ config, broker, storage, buckets, log, pushKeys: options.pusher?.keys });
  const http = await createHttpServer({
    title: 'test',
    version: '1',
    logger: log,
    authenticate: principalOf,
    describeError: toProblem,
    codedError: (code, detail, errors = []) => new CodedError(code, detail, { errors }),
  });
  await http.register(ingest.routes);
  await http.listen({ port: 0, host: '127.0.0.1' });
  const { port } = http.server.address() as AddressInfo;

  const subjects = async (stream: string) => {
    const info = await broker.api.call<{ state: { subjects?: Record<string, number> } }>(
      `STREAM.INFO.${stream}`,
      {
        subjects_filter: '>',
      },
    );
    return info.state.subjects ?? {};
  };
  return {
    ...{ server, broker, storage, ingest, http, port, subjects },
    url: `http://127.0.0.1:${port}/v1/recordings`,
    /** Publishes an upload event as another program would, and waits for the PubAck. */
    publish: (subject: string, payload: string | Uint8Array, headers: Record<string, string> = {}) =>
      rawPublish(server.port, subject, payload, headers),
    uploadsLeft: async () => Object.values(await subjects('UPLOADS')).reduce((sum, count) => sum + count, 0),
    keys: async () => {
      const keys: string[] = [];
      for await (const info of storage.list('')) keys.push(info.key);
      return keys;
    },
    close: async () => {
      await ingest.close(1_000);
      await http.close();
      await broker.close();
      await storage.close();
      await server.dispose();
      await folder.remove();
    },
  };
}

export type IngestWorld = Awaited<ReturnType<typeof openIngest>>;

function principalOf(authorization: string | undefined): Principal {
  const [tenant = 'default', scope] = (authorization ?? '').replace(/^Bearer /, '').split(':');
  return { tenant: tenant || 'default', scopes: scope === 'read' ? ['read'] : ['write'] };
}

/** Bytes that pass for a recording. */
export const wav = (size = 50_000) => {
  const bytes = Buffer.alloc(size, 1);
  bytes.write('RIFF\0\0\0\0WAVEfmt ', 'latin1');
  return bytes;
};

/** A form with the file at the place where `file` stands among the fields. */
export function form(fields: Record<string, string | Uint8Array | string[]>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string') data.append(name, value);
    else if (Array.isArray(value)) for (const item of value) data.append(name, item);
    else data.append(name, new Blob([value as Uint8Array<ArrayBuffer>]), 'recording.wav');
  }
  return data;
}
