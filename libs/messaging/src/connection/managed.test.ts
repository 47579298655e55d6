import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Authority,
  certificateAuthority,
  type NatsOperator,
  natsOperator,
  startTestBroker,
  type TestBroker,
  tempFolder,
} from '@earshot/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { jobThrough } from '../../test/job-through.ts';
import { eventually, recordingLog } from '../../test/support.ts';
import type { BrokerAuth } from './auth.ts';
import { connectBroker } from './connect.ts';

let folder: Awaited<ReturnType<typeof tempFolder>>;
let ours: Authority;
let theirs: Authority;
let operator: NatsOperator;
let server: TestBroker | undefined;

beforeAll(async () => {
  folder = await tempFolder();
  ours = await certificateAuthority(folder.path, 'ours');
  theirs = await certificateAuthority(folder.path, 'theirs');
  await ours.issue('server', ['nats.test', 'localhost']);
  operator = await natsOperator();
});
afterEach(() => server?.dispose());
afterAll(() => folder.remove());

const file = async (name: string, content: string) => {
  await writeFile(join(folder.path, name), content);
  return join(folder.path, name);
};
const account = 'jetstream { max_mem: 16MB, max_file: 256MB }';
const tls = (more = '') =>
  `tls { cert_file: "${join(folder.path, 'server.crt')}", key_file: "${join(folder.path, 'server.key')}" ${more} }`;
const anybody = `accounts { A { ${account}, users: [{ user: "u", password: "p" }] } }\nno_auth_user: u`;
const mutual = () => `${anybody}\n${tls(`, ca_file: "${ours.caFile}", verify: true`)}`;

interface Kind {
  readonly access: () => Promise<string> | string;
  readonly right: () => Promise<BrokerAuth>;
  readonly wrong: () => Promise<BrokerAuth>;
  /** What the log says about the wrong one. */
  readonly hint: string;
  readonly scheme?: string;
  readonly greets?: boolean;
}

const clientFiles = async (from: Authority, name: string) => {
  const { certFile: cert, keyFile: key } = await from.issue(name);
  return { ca: ours.caFile, cert, key };
};

const kinds: Record<string, Kind> = {
  'a credentials file': {
    access: () => operator.access(),
    right: async () => ({ creds: await file('right.creds', (await operator.user('w')).creds) }),
    wrong: async () => {
      const stranger = await natsOperator();
      return { creds: await file('wrong.creds', (await stranger.user('w')).creds) };
    },
    hint: 'the server refuses our credentials: check NATS_CREDS',
  },
  'a file that is no credentials file': {
    access: () => operator.access(),
    right: async () => ({ creds: await file('right.creds', (await operator.user('w')).creds) }),
    wrong: async () => ({ creds: await file('odd.creds', 'SECRET-odd') }),
    hint: 'check NATS_CREDS',
  },
  'a missing file': {
    access: () => operator.access(),
    right: async () => ({ creds: await file('right.creds', (await operator.user('w')).creds) }),
    wrong: async () => ({ creds: join(folder.path, 'none.creds') }),
    hint: 'the file of NATS_CREDS cannot be read',
  },
  'a token': {
    access: () => `authorization { token: "SECRET-right" }`,
    right: async () => ({ token: { file: await file('token', 'SECRET-right\n') } }),
    wrong: async () => ({ token: 'SECRET-wrong' }),
    hint: 'the server refuses our credentials: check NATS_TOKEN',
  },
  'a user and a password': {
    access: () => `accounts { A { ${account}, users: [{ user: "u", password: "SECRET-right" }] } }`,
    right: async () => ({ user: 'u', password: 'SECRET-right' }),
    wrong: async () => ({ user: 'u', password: { file: await file('password', 'SECRET-wrong') } }),
    hint: 'the server refuses our credentials: check NATS_USER and NATS_PASSWORD_FILE',
  },
  'no credentials': {
    access: () => `accounts { A { ${account}, users: [{ user: "u", password: "SECRET-right" }] } }`,
    right: async () => ({ user: 'u', password: 'SECRET-right' }),
    wrong: async () => ({}),
    hint: 'the server wants credentials: set NATS_CREDS, NATS_TOKEN or NATS_USER and NATS_PASSWORD',
  },
  'TLS with an own CA': {
    access: () => `${anybody}\n${tls()}`,
    right: async () => ({ tls: { ca: ours.caFile } }),
    wrong: async () => ({ tls: { ca: theirs.caFile } }),
    hint: "the server's certificate is not trusted: check NATS_TLS_CA",
    scheme: 'tls',
  },
  'TLS with a CA that Node does not know': {
    access: () => `${anybody}\n${tls()}`,
    right: async () => ({ tls: { ca: ours.caFile } }),
    wrong: async () => ({}),
    hint: "the server's certificate is not trusted: check NATS_TLS_CA",
  },
  'mutual TLS': {
    access: mutual,
    right: async () => ({ tls: await clientFiles(ours, 'client') }),
    wrong: async () => ({ tls: await clientFiles(theirs, 'stranger') }),
    hint: 'wants a certificate (NATS_TLS_CERT, NATS_TLS_KEY)',
  },
  'mutual TLS without a certificate': {
    access: mutual,
    right: async () => ({ tls: await clientFiles(ours, 'client') }),
    wrong: async () => ({ tls: { ca: ours.caFile } }),
    hint: 'wants a certificate (NATS_TLS_CERT, NATS_TLS_KEY)',
  },
  'TLS before the first word': {
    access: () => `${anybody}\n${tls(', handshake_first: true')}`,
    right: async () => ({ tls: { ca: ours.caFile, handshakeFirst: true } }),
    wrong: async () => ({ tls: { ca: ours.caFile } }),
    hint: 'NATS_TLS_HANDSHAKE_FIRST',
    greets: false,
  },
  'TLS only after the first word': {
    access: () => `${anybody}\n${tls()}`,
    right: async () => ({ tls: { ca: ours.caFile } }),
    wrong: async () => ({ tls: { ca: ours.caFile, handshakeFirst: true } }),
    hint: 'the server does not begin with TLS: check NATS_TLS_HANDSHAKE_FIRST',
  },
};

describe.each(Object.entries(kinds))('%s', (_name, { access, right, wrong, hint, scheme, greets = true }) => {
  const start = async () => {
    server = await startTestBroker({ access: await access(), greets });
    return [`${scheme ?? 'nats'}://localhost:${server.port}`];
  };

  it('lets a job through', async () => {
    const servers = await start();
    const broker = await connectBroker({ servers, name: 'w', log: recordingLog(), auth: await right() });
    await jobThrough(broker);
    await broker.close();
  });

  it('when wrong: the log says what to look at, and no secret', async () => {
    const servers = await start();
    const [stop, log] = [new AbortController(), recordingLog()];
    const auth = await wrong();
    const connecting = connectBroker({ servers, name: 'w', log, auth, signal: stop.signal });
    const line = await eventually('a hint', () => log.lines.find(({ level }) => level === 'warn'));
    expect(line.message).toContain(hint);
    expect(line.fields).toMatchObject({ code: 'unavailable' });
    expect(JSON.stringify(log.lines)).not.toMatch(/SECRET|eyJ|SU[A-Z0-9]{20}/);
    stop.abort();
    await expect(connecting).rejects.toThrow(/abort/i);
  });
});

describe('TLS', () => {
  const attempt = async (address: string, auth: BrokerAuth = {}) => {
    const [stop, log] = [new AbortController(), recordingLog()];
    const connecting = connectBroker({ servers: [address], name: 'w', log, auth, signal: stop.signal });
    let connected = false;
    const open = connecting.then((broker) => {
      connected = true;
      return broker.close();
    });
    const said = await eventually(
      'an end of the attempt',
      () => log.lines.find(({ level }) => level === 'warn')?.message ?? (connected && 'connected'),
    );
    stop.abort();
    await Promise.allSettled([open]);
    return said;
  };

  it('is insisted on by an address tls://, so that no password goes over the wire in the clear', async () => {
    server = await startTestBroker();
    const said = await attempt(`tls://localhost:${server.port}`);
    expect(said).toContain('the server offers no TLS: check NATS_URL');
    expect(await attempt(`nats://localhost:${server.port}`)).toBe('connected');
  });

  it("refuses a certificate for another host than the address's, be that a name or an IP address", async () => {
    const auth = { tls: { ca: ours.caFile } };
    const start = async (hosts: string[]) => {
      await ours.issue('server', hosts);
      await server?.dispose();
      server = await startTestBroker({ access: `${anybody}\n${tls()}` });
      return [`localhost:${server.port}`, `127.0.0.1:${server.port}`] as const;
    };
    const other = "the server's certificate is for another name than the one in NATS_URL";
    const [byName, byAddress] = await start(['localhost']);
    expect(await attempt(byName, auth)).toBe('connected');
    expect(await attempt(byAddress, auth)).toContain(other);
    const [name, address] = await start(['127.0.0.1']);
    expect(await attempt(name, auth)).toContain(other);
    expect(await attempt(address, auth)).toBe('connected');
  });
});
