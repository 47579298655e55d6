import { join } from 'node:path';
import { EmbeddedError } from '../errors.ts';
import { requireHash } from '../hash.ts';
import type { Environment } from '../options.ts';
import { getFile, getText } from './http-get.ts';
import { type WheelPin, wheelFileName } from './wheel-pins.ts';

const PUBLIC_INDEX = 'https://pypi.org/simple';
const ACCEPT = 'application/vnd.pypi.simple.v1+json, text/html;q=0.5';

/**
 * Downloads one wheel without Python, from the index PIP_INDEX_URL names (default: the public one).
 * Returns the wheel's path inside `scratch`; any other hash than the pinned one throws BAD_HASH.
 */
export async function indexDownload(
  wheel: Pick<WheelPin, 'project' | 'version' | 'tag' | 'sha256'>,
  scratch: string,
  env: Environment,
  onBytes: (bytes: number) => void,
): Promise<string> {
  const index = (env.PIP_INDEX_URL || PUBLIC_INDEX).replace(/\/+$/, '');
  const page = await getText(`${index}/${wheel.project}/`, env, ACCEPT);
  const name = wheelFileName(wheel);
  const link = page.type.includes('json') ? linkInJson(page.text, name) : linkInHtml(page.text, name);
  if (link === undefined)
    throw new EmbeddedError('DOWNLOAD_FAILED', `The package index does not have ${name}.`);
  const path = join(scratch, name);
  requireHash(name, wheel.sha256, await getFile(new URL(link, page.url).href, path, env, onBytes));
  return path;
}

function linkInJson(text: string, name: string): string | undefined {
  const page = JSON.parse(text) as { files?: { filename: string; url: string }[] };
  return page.files?.find((file) => file.filename === name)?.url;
}

function linkInHtml(text: string, name: string): string | undefined {
  for (const [, href = ''] of text.matchAll(/<a\s[^>]*href\s*=\s*["']([^"']+)["']/gi)) {
    const link = href.replaceAll('&amp;', '&').replace(/#.*$/, '');
    if (decodeURIComponent(link.split('/').at(-1)?.split('?')[0] ?? '') === name) return link;
  }
  return undefined;
}
