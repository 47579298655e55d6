import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EmbeddedError, messageOf } from '../errors.ts';
import type { Environment } from '../options.ts';
import { startGet } from './proxy.ts';

const MAX_REDIRECTS = 5;
const IDLE_MS = 30_000;
const MAX_TEXT_BYTES = 20_000_000;

/** A text over http(s), redirects followed, at most 20 MB. Also gives the address it finally came from. */
export async function getText(
  url: string,
  env: Environment,
  accept: string,
): Promise<{ text: string; type: string; url: string }> {
  const { response, finalUrl } = await get(new URL(url), env, { accept });
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk as string;
    if (text.length > MAX_TEXT_BYTES) throw new EmbeddedError('DOWNLOAD_FAILED', `${url} is too long.`);
  }
  return { text, type: response.headers['content-type'] ?? '', url: finalUrl.href };
}

/** Downloads to a file and returns its SHA-256. A transfer that ends early throws DOWNLOAD_FAILED. */
export async function getFile(
  url: string,
  path: string,
  env: Environment,
  onBytes: (bytes: number) => void,
): Promise<string> {
  const { response } = await get(new URL(url), env, {});
  const hash = createHash('sha256');
  let bytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      hash.update(chunk);
      bytes += chunk.length;
      onBytes(bytes);
      next(null, chunk);
    },
  });
  try {
    await pipeline(response, count, createWriteStream(path));
  } catch (cause) {
    throw failed(url, cause);
  }
  const expected = response.headers['content-length'];
  if (expected !== undefined && Number(expected) !== bytes) throw failed(url, 'it ended early');
  return hash.digest('hex');
}

async function get(
  url: URL,
  env: Environment,
  headers: Record<string, string>,
  redirects = 0,
): Promise<{ response: IncomingMessage; finalUrl: URL }> {
  const response = await respond(url, env, headers).catch((cause) => {
    throw failed(url.href, cause);
  });
  const { statusCode = 0, headers: answered } = response;
  if (statusCode >= 300 && statusCode < 400 && answered.location !== undefined) {
    response.resume();
    const next = new URL(answered.location, url);
    if (redirects >= MAX_REDIRECTS) throw failed(url.href, 'too many redirects');
    if (url.protocol === 'https:' && next.protocol !== 'https:')
      throw failed(url.href, 'it redirects to plain http');
    return get(next, env, headers, redirects + 1);
  }
  if (statusCode === 200) return { response, finalUrl: url };
  response.resume();
  throw failed(url.href, `the server answered ${statusCode}`);
}

async function respond(
  url: URL,
  env: Environment,
  headers: Record<string, string>,
): Promise<IncomingMessage> {
  return new Promise((done, fail) => {
    const auth = url.username === '' ? {} : { authorization: basic(url) };
    startGet(url, { 'user-agent': 'earshot', ...headers, ...auth }, env, done).then((request) => {
      request.setTimeout(IDLE_MS, () => request.destroy(new Error('no data for 30 seconds')));
      request.on('error', fail).end();
    }, fail);
  });
}

function basic(url: URL): string {
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

function failed(url: string, cause: unknown): EmbeddedError {
  const clean = url.replace(/\/\/[^/@]*@/, '//');
  return new EmbeddedError(
    'DOWNLOAD_FAILED',
    `${clean} could not be fetched: ${messageOf(cause)}.`,
    undefined,
    { cause },
  );
}
