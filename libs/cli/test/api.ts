import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { type CliOptions, runCli } from '../src/index.ts';

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** An API on a real port that answers `<method> <path>` from a table, else 404, and keeps what it was asked. */
export async function startApi(answers: Readonly<Record<string, unknown>>) {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const { method = '', url = '' } = request;
    const { authorization } = request.headers;
    asked.push({ method, url, authorization, body: await text(request) });
    const answer = answers[`${method} ${url.split('?')[0]}`];
    const problem = { status: 404, code: 'not_found', detail: `there is no ${url}`, help: 'Check the id.' };
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? problem));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** Runs a command in this process; `answer` sits at the terminal, undefined: nobody does. */
export async function run(args: readonly string[], env: CliOptions['env'], answer?: boolean) {
  const out = { stdout: '', stderr: '', questions: [] as string[] };
  const confirm = async (question: string) => {
    out.questions.push(question);
    return answer ?? false;
  };
  const code = await runCli({
    args,
    env,
    terminal: {
      stdout: {
        write: (text: string) => {
          out.stdout += text;
        },
      },
      stderr: {
        write: (text: string) => {
          out.stderr += text;
        },
      },
      color: false,
      confirm: answer === undefined ? undefined : confirm,
    },
  });
  return { code, ...out };
}
