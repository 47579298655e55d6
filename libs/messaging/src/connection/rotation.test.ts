import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { done } from '@earshot/jobs';
import { certificateAuthority, natsOperator, startTestBroker, tempFolder } from '@earshot/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gate, JobBench } from '../../test/job-bench.ts';
import { chunkResult, eventually, factsOf, recordingLog, timePasses } from '../../test/support.ts';
import type { BrokerAuth } from './auth.ts';
import { connectBroker } from './connect.ts';

let folder: Awaited<ReturnType<typeof tempFolder>>;
beforeEach(async () => {
  folder = await tempFolder();
});
afterEach(() => folder.remove());

/** As a mounted secret changes: whole, by a rename. */
async function put(name: string, content: string): Promise<string> {
  const path = join(folder.path, name);
  await writeFile(`${path}.new`, content);
  await rename(`${path}.new`, path);
  return path;
}

/**
 * A worker with a job in work, and jobs and facts published all the while; `rotate` must make the server end its
 * connection. Afterwards each job that was published has its fact, and no job was done twice.
 */
async function worksThrough(options: {
  readonly url: string;
  readonly auth: BrokerAuth;
  readonly rotate: () => Promise<void>;
}): Promise<void> {
  const log = recordingLog();
  const { url, auth } = options;
  const broker = await connectBroker({ servers: [url], name: 'worker', log, auth });
  const bench = await new JobBench(() => broker).start({ ackWaitSeconds: 10 });
  const finish = gate();
  const loop = bench.loop(
    async ({ data }) => {
      await finish.opened;
      return done(chunkResult(data));
    },
    { settings: { ackWaitMs: 10_000 } },
  );
  const first = await bench.publish();
  await eventually('the start', () => loop.active() === 1);

  const said = (words: string) => log.lines.some(({ message }) => message === words);
  let publishing = true;
  const published = [first];
  const publisher = (async () => {
    while (publishing) {
      published.push(await bench.publish());
      await timePasses(50);
    }
  })();
  await options.rotate();
  await eventually('the server to end the connection', () => said('NATS disconnected'), 20_000);
  await eventually('the worker to be back', () => said('NATS reconnected') && broker.link.connected, 20_000);
  publishing = false;
  await publisher;
  finish.open();
  for (const job of published)
    await eventually('the result', () => broker.facts.last(factsOf(job).chunk(1, 0)), 60_000);
  await loop.idle();
  const starts = loop.seen.settled.filter(({ settled }) => settled === 'done');
  expect(starts.map(({ delivery }) => delivery)).toEqual(published.map(() => 1));
  await bench.stop();
  await broker.close();
}

const refusal = async (url: string, auth: BrokerAuth) => {
  const [stop, log] = [new AbortController(), recordingLog()];
  const connecting = connectBroker({ servers: [url], name: 'old', log, auth, signal: stop.signal });
  const line = await eventually('a refusal', () => log.lines.find(({ level }) => level === 'warn'));
  stop.abort();
  await expect(connecting).rejects.toThrow(/abort/i);
  return line.message;
};

describe('a running worker takes up, with nothing lost and nothing done twice,', () => {
  it('another credentials file, when the user of the old one is revoked', async () => {
    const operator = await natsOperator();
    const old = await operator.user('worker');
    const creds = await put('worker.creds', old.creds);
    const server = await startTestBroker({ access: await operator.access() });
    await worksThrough({
      url: server.url,
      auth: { creds },
      rotate: async () => {
        await put('worker.creds', (await operator.user('worker')).creds);
        operator.revoke(old);
        await server.setAccess(await operator.access());
      },
    });
    const kept = await put('old.creds', old.creds);
    expect(await refusal(server.url, { creds: kept })).toContain('check NATS_CREDS');
    await server.dispose();
  });

  it('another credentials file, before the old one runs out', async () => {
    const operator = await natsOperator();
    const server = await startTestBroker({ access: await operator.access() });
    const soon = new Date(Date.now() + 8_000);
    const creds = await put('worker.creds', (await operator.user('worker', undefined, soon)).creds);
    await worksThrough({
      url: server.url,
      auth: { creds },
      rotate: async () => void (await put('worker.creds', (await operator.user('worker')).creds)),
    });
    await server.dispose();
  });

  it('another client certificate and another CA, when the server no longer takes the old ones', async () => {
    const [old, young] = [
      await certificateAuthority(folder.path, 'old'),
      await certificateAuthority(folder.path, 'young'),
    ];
    await old.issue('server');
    const { certFile: cert, keyFile: key } = await old.issue('worker');
    const ca = await put('trusted.crt', await readFile(old.caFile, 'utf8'));
    const at = (name: string) => join(folder.path, name);
    const access = (trusted: string, more = '') => `
accounts { A { jetstream { max_mem: 16MB, max_file: 256MB }, users: [{ user: "u", password: "p" } ${more}] } }
no_auth_user: u
tls { cert_file: "${at('server.crt')}", key_file: "${at('server.key')}", ca_file: "${trusted}", verify: true }`;
    const server = await startTestBroker({ access: access(old.caFile) });
    await worksThrough({
      url: `tls://localhost:${server.port}`,
      auth: { tls: { ca, cert, key } },
      rotate: async () => {
        await young.issue('server');
        await young.issue('worker');
        await put('trusted.crt', await readFile(young.caFile, 'utf8'));
        await server.setAccess(access(young.caFile));
        await server.kill();
        await server.start();
      },
    });
    const files = await old.issue('stranger');
    const auth = { tls: { ca: young.caFile, cert: files.certFile, key: files.keyFile } };
    expect(await refusal(`tls://localhost:${server.port}`, auth)).toContain('NATS_TLS_CERT');
    await server.dispose();
  });

  it('another password and user, when the server knows the old ones no more', async () => {
    const server = await startTestBroker({ users: { 'worker-1': 'old' } });
    const user = { file: await put('user', 'worker-1') };
    const password = { file: await put('password', 'old') };
    await worksThrough({
      url: server.url,
      auth: { user, password },
      rotate: async () => {
        await put('user', 'worker-2');
        await put('password', 'new');
        await server.setUsers({ 'worker-2': 'new' });
      },
    });
    expect(await refusal(server.url, { user: 'worker-1', password: 'old' })).toContain('check NATS_USER');
    await server.dispose();
  });
});
