import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startChild } from '../../test/child.ts';
import { temporaryFolder } from '../../test/folder.ts';
import { listening, startLocalIndex } from '../../test/local-index.ts';
import { localhostCertificate } from '../../test/localhost-certificate.ts';
import { getFile, getText } from './http-get.ts';
import { proxyFor } from './proxy.ts';

const bytes = Buffer.alloc(300_000, 'earshot');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const nothing = () => undefined;

describe('a download', () => {
  test('follows a redirect, counts bytes and gives the hash', async () => {
    const index = await startLocalIndex('thing', 'thing.whl', bytes);
    const path = join(temporaryFolder(), 'thing');
    let seen = 0;
    const hash = await getFile(new URL('/moved/thing.whl', index.url).href, path, {}, (now) => {
      seen = now;
    });
    expect(hash).toBe(sha256);
    expect(seen).toBe(bytes.length);
  });

  test('that ends early is refused', async () => {
    const index = await startLocalIndex('thing', 'thing.whl', bytes);
    index.cutAfter = 1000;
    const path = join(temporaryFolder(), 'thing');
    const url = new URL('/files/thing.whl', index.url).href;
    await expect(getFile(url, path, {}, nothing)).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' });
  });

  test('of something that is not there says so, without the password of the address', async () => {
    const index = await startLocalIndex('thing', 'thing.whl', bytes);
    const url = index.url.replace('http://', 'http://me:secret@');
    const error = await getText(`${url}/other/`, {}, '*/*').catch((thrown: Error) => thrown.message);
    expect(error).toContain('404');
    expect(error).not.toContain('secret');
  });

  test('that only redirects in circles ends', async () => {
    const server = createHttp((_, response) => response.writeHead(302, { location: '/' }).end());
    await expect(getText(await listening(server), {}, '*/*')).rejects.toThrow('too many redirects');
  });

  test('goes through the proxy the environment names, unless the host is excluded', async () => {
    const asked: string[] = [];
    const proxy = createHttp((request, response) => {
      asked.push(`${request.url} ${request.headers['proxy-authorization']}`);
      response.end('from the proxy');
    });
    const HTTP_PROXY = (await listening(proxy)).replace('http://', 'http://me:secret@');
    const found = await getText('http://example.invalid/x', { HTTP_PROXY }, '*/*');
    expect(found.text).toBe('from the proxy');
    expect(asked).toEqual([`http://example.invalid/x Basic ${Buffer.from('me:secret').toString('base64')}`]);
    const excluded = { HTTP_PROXY, NO_PROXY: 'localhost, .invalid' };
    await expect(getText('http://example.invalid/x', excluded, '*/*')).rejects.toThrow(
      'could not be fetched',
    );
  });

  test('over https uses a tunnel through the proxy', async () => {
    const folder = temporaryFolder();
    const cert = join(folder, 'cert.pem');
    writeFileSync(cert, localhostCertificate.cert);
    const target = createHttps(localhostCertificate, (_, response) => response.end(bytes));
    const port = new URL(await listening(target)).port;
    const tunnels: string[] = [];
    const proxy = createHttp().on('connect', (request, client) => {
      tunnels.push(request.url ?? '');
      const far = connect(Number(port), '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
      far
        .on('error', () => client.destroy())
        .pipe(client.on('error', () => far.destroy()))
        .pipe(far);
    });
    const env = { PATH: process.env.PATH, HTTPS_PROXY: await listening(proxy), NODE_EXTRA_CA_CERTS: cert };
    const args = [`https://localhost:${port}/x`, join(folder, 'x')];
    expect(await startChild('download-child.ts', args, { env }).next()).toEqual({ hash: sha256 });
    expect(tunnels).toEqual([`localhost:${port}`]);
    const untrusting = { PATH: process.env.PATH };
    const refused = await startChild('download-child.ts', args, { env: untrusting }).next<{
      error: string;
    }>();
    expect(refused.error).toContain('certificate');
  });
});

test.each([
  [{ HTTPS_PROXY: 'proxy:3128' }, 'https://a.b/', 'proxy:3128'],
  [{ https_proxy: 'http://proxy:3128' }, 'https://a.b/', 'proxy:3128'],
  [{ HTTPS_PROXY: 'proxy:3128' }, 'http://a.b/', undefined],
  [{ HTTPS_PROXY: 'proxy:3128', NO_PROXY: '*' }, 'https://a.b/', undefined],
  [{ HTTPS_PROXY: 'proxy:3128', NO_PROXY: 'b' }, 'https://a.b/', undefined],
  [{ HTTPS_PROXY: 'proxy:3128', NO_PROXY: 'a.b:8443' }, 'https://a.b/', 'proxy:3128'],
  [{ HTTPS_PROXY: 'proxy:3128', no_proxy: '.a.b,c' }, 'https://aa.b/', 'proxy:3128'],
])('with %j the proxy of %s is %s', (env, url, expected) => {
  expect(proxyFor(new URL(url), env)?.host).toBe(expected);
});
