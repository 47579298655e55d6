import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { EmbeddedError } from '../errors.ts';
import type { Environment } from '../options.ts';

/** The proxy for a URL out of HTTPS_PROXY, HTTP_PROXY and NO_PROXY (either case), or undefined for a direct way. */
export function proxyFor(url: URL, env: Environment): URL | undefined {
  const read = (name: string) => env[name.toLowerCase()] || env[name] || undefined;
  const excluded = (read('NO_PROXY') ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
  if (excluded.some((entry) => covers(entry, url))) return undefined;
  const proxy = read(url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY') ?? read('ALL_PROXY');
  if (proxy === undefined) return undefined;
  return new URL(proxy.includes('://') ? proxy : `http://${proxy}`);
}

function covers(entry: string, url: URL): boolean {
  if (entry === '*') return true;
  const [host = '', port] = entry.replace(/^\*?\.?/, '').split(':');
  const sameHost = url.hostname === host || url.hostname.endsWith(`.${host}`);
  return (
    sameHost && (port === undefined || port === (url.port || (url.protocol === 'https:' ? '443' : '80')))
  );
}

/** Starts a GET on the way the environment asks for: straight, through the proxy (http), or a CONNECT tunnel (https). */
export async function startGet(
  url: URL,
  headers: Record<string, string>,
  env: Environment,
  onResponse: (response: IncomingMessage) => void,
): Promise<ClientRequest> {
  const proxy = proxyFor(url, env);
  if (proxy === undefined) {
    return (url.protocol === 'https:' ? httpsRequest : httpRequest)(
      url,
      { headers, agent: false },
      onResponse,
    );
  }
  if (url.protocol === 'http:') {
    const way = { host: proxy.hostname, port: proxy.port || 80, path: url.href, agent: false };
    return httpRequest(
      { ...way, headers: { ...headers, host: url.host, ...credentials(proxy) } },
      onResponse,
    );
  }
  const tunnel = await openTunnel(proxy, url);
  const socket = connectTls({ socket: tunnel, servername: url.hostname, ALPNProtocols: ['http/1.1'] });
  return httpsRequest(url, { headers, createConnection: () => socket }, onResponse);
}

function openTunnel(proxy: URL, url: URL): Promise<Socket> {
  return new Promise((done, fail) => {
    const target = `${url.hostname}:${url.port || 443}`;
    const send = proxy.protocol === 'https:' ? httpsRequest : httpRequest;
    const port = proxy.port || (proxy.protocol === 'https:' ? 443 : 80);
    const headers = { host: target, ...credentials(proxy) };
    send({
      host: proxy.hostname,
      port,
      method: 'CONNECT',
      path: target,
      headers,
      agent: false,
      timeout: 30_000,
    })
      .on('connect', (answer, socket) => {
        if (answer.statusCode === 200) return done(socket);
        socket.destroy();
        fail(
          new EmbeddedError(
            'DOWNLOAD_FAILED',
            `The proxy ${proxy.host} refused ${target} (${answer.statusCode}).`,
          ),
        );
      })
      .on('timeout', () =>
        fail(new EmbeddedError('DOWNLOAD_FAILED', `The proxy ${proxy.host} does not answer.`)),
      )
      .on('error', fail)
      .end();
  });
}

function credentials(proxy: URL): Record<string, string> {
  if (proxy.username === '') return {};
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}
