import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startOtlpReceiver, tempFolder } from '@earshot/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { wantsTraces } from './telemetry.ts';

const source = (file: string) => new URL(file, import.meta.url).href;

/** Runs a program whose first import starts the telemetry of a service named `door`; returns what it printed. */
async function run(program: string, env: Record<string, string> = {}): Promise<string> {
  const folder = await tempFolder();
  onTestFinished(() => folder.remove());
  const write = (name: string, text: string) => writeFile(join(folder.path, name), text);
  await write(
    'first.mts',
    `import { startTelemetry } from '${source('telemetry.ts')}';\nstartTelemetry('door');`,
  );
  await write('main.mts', `import './first.mts';\n${program}`);
  const args = ['--import', import.meta.resolve('tsx'), join(folder.path, 'main.mts')];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...clean(), ...env } });
  return stdout.trim();
}

const clean = () => Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^OTEL_/.test(name)));

/** A door that is called from outside, calls itself once, and says in which trace it is. */
const CALLED_DOOR = `
  import { createServer } from 'node:http';
  import { createRequire } from 'node:module';
  import { createHttpServer, createLogger, openDoor } from '${source('index.ts')}';
  import { stopTelemetry } from '${source('telemetry.ts')}';
  const codedError = (code, detail) => Object.assign(new Error(detail), { code });
  const server = await createHttpServer({
    title: 't', version: '1', logger: createLogger({ service: 'door', level: 'silent' }),
    authenticate: openDoor('default'), describeError: () => ({ status: 500 }), codedError,
  });
  server.get('/v1/inner', async (request) => ({ seen: request.headers.traceparent }));
  server.get('/v1/outer', async () => (await fetch(url + '/v1/inner')).json());
  server.get('/livez', async () => ({}));
  const url = await server.listen({ port: 0, host: '127.0.0.1' });
  await fetch(url + '/livez');
  const { request } = await import('node:http');
  const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
  const text = await new Promise((resolve) =>
    request(url + '/v1/outer', { headers }, (answer) => answer.on('data', (data) => resolve(String(data)))).end());
  console.log(text);
  await server.close();
  await stopTelemetry();
`;

it('starts when the standard settings name an exporter, and only then', () => {
  expect(wantsTraces({})).toBe(false);
  expect(wantsTraces({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' })).toBe(true);
  expect(wantsTraces({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4318/v1/traces' })).toBe(true);
  expect(wantsTraces({ OTEL_TRACES_EXPORTER: 'console' })).toBe(true);
  expect(wantsTraces({ OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c' })).toBe(false);
  expect(wantsTraces({ OTEL_SDK_DISABLED: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c' })).toBe(false);
});

it('loads no part of the SDK when nothing asks for traces', async () => {
  const loaded = await run(
    `import '${source('index.ts')}';
     import { createRequire } from 'node:module';
     const files = Object.keys(createRequire(import.meta.url).cache);
     console.log(files.filter((file) => /@opentelemetry.(sdk|instrumentation|exporter)|@fastify.otel/.test(file)).length);`,
  );
  expect(loaded).toBe('0');
});

it('continues the caller’s trace through the door and the calls made behind it, and leaves probes out', async () => {
  const receiver = await startOtlpReceiver();
  onTestFinished(() => receiver.close());
  const seen = await run(CALLED_DOOR, { ...receiver.env });
  const trace = '0af7651916cd43dd8448eb211c80319c';
  expect(seen).toContain(trace);
  const { spans } = receiver;
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([trace]));
  expect(new Set(spans.map(({ service }) => service))).toEqual(new Set(['earshot-door']));
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const entry = spans.filter(({ parentSpanId }) => !ids.has(parentSpanId));
  expect(entry.map(({ kind, parentSpanId }) => [kind, parentSpanId])).toEqual([[2, 'b7ad6b7169203331']]);
  const inner = spans.find(({ spanId }) => seen.includes(spanId));
  expect(inner?.kind).toBe(3);
});
