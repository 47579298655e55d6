import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';

/** What a local package index serves: bytes by path. `cutAfter` ends every file after that many bytes. */
export interface LocalIndex {
  readonly url: string;
  readonly requests: string[];
  cutAfter: number | undefined;
}

/**
 * A package index on a free port, closed when the test ends. `/simple/<project>/` lists one wheel, whose link redirects once.
 */
export async function startLocalIndex(
  project: string,
  fileName: string,
  bytes: Buffer,
  form: 'html' | 'json' = 'html',
): Promise<LocalIndex> {
  const state = { requests: [] as string[], cutAfter: undefined as number | undefined };
  const server = createServer((request, response) => {
    state.requests.push(request.url ?? '');
    answer(request, response);
  });
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    if (request.url === `/simple/${project}/`) return list(response);
    if (request.url === `/moved/${fileName}`)
      return response.writeHead(302, { location: `/files/${fileName}` }).end();
    if (request.url === `/files/${fileName}`) return send(response);
    return response.writeHead(404).end();
  };
  const list = (response: ServerResponse) => {
    const url = `../../moved/${fileName}`;
    const json = form === 'json';
    response.setHeader('content-type', json ? 'application/vnd.pypi.simple.v1+json' : 'text/html');
    const html = `<a href="${url}#sha256=00">${fileName}</a>`;
    return response.end(json ? JSON.stringify({ files: [{ filename: fileName, url }] }) : html);
  };
  const send = (response: ServerResponse) => {
    response.writeHead(200, { 'content-length': bytes.length });
    if (state.cutAfter === undefined) return response.end(bytes);
    return response.write(bytes.subarray(0, state.cutAfter), () => response.destroy());
  };
  const url = await listening(server);
  return Object.assign(state, { url: `${url}/simple` });
}

/** Opens a server on a free loopback port and closes it, with its connections, when the test ends. */
export async function listening(server: Server): Promise<string> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}
