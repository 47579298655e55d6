import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { tempFolder } from '@earshot/testkit';
import { expect, it, onTestFinished } from 'vitest';

/** What one export brought: the address it went to, and its bytes. Names are readable in every encoding. */
interface Export {
  readonly path: string;
  readonly type: string;
  readonly body: Buffer;
}

async function addressOf(server: ReturnType<typeof createServer> | ReturnType<typeof createHttp2Server>) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function httpCollector(received: Export[]): Promise<string> {
  const server = createServer(async (request, response) => {
    const type = String(request.headers['content-type']);
    received.push({ path: request.url ?? '', type, body: await buffer(request) });
    response.setHeader('content-type', type).end();
  });
  return addressOf(server);
}

/** Speaks just enough gRPC: each call is one message, answered by an empty one and the status 0. */
async function grpcCollector(received: Export[]): Promise<string> {
  const server = createHttp2Server();
  server.on('stream', async (stream: ServerHttp2Stream, headers) => {
    const body = await buffer(stream);
    received.push({ path: String(headers[':path']), type: String(headers['content-type']), body });
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.alloc(5));
  });
  return addressOf(server);
}

const source = (file: string) => new URL(file, import.meta.url).href;
const PROGRAM = `
  import './first.mts';
  import { trace } from '${import.meta.resolve('@opentelemetry/api')}';
  import { createLogger, openMetrics } from '${source('index.ts')}';
  import { stopTelemetry } from '${source('telemetry.ts')}';
  const metrics = await openMetrics({ service: 'door', log: createLogger({ service: 'door', level: 'silent' }) });
  metrics.add({ name: 'knocks_total', kind: 'counter', help: 'h', labels: [] }, 1, {});
  trace.getTracer('test').startSpan('a knock').end();
  await Promise.all([stopTelemetry(), metrics.close()]);
`;

/** Runs a program that makes one span and one count, with these settings. */
async function run(env: Record<string, string>): Promise<void> {
  const folder = await tempFolder();
  onTestFinished(() => folder.remove());
  const first = `import { startTelemetry } from '${source('telemetry.ts')}';\nstartTelemetry('door');`;
  await writeFile(join(folder.path, 'first.mts'), first);
  await writeFile(join(folder.path, 'main.mts'), PROGRAM);
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('OTEL_'));
  const args = ['--import', import.meta.resolve('tsx'), join(folder.path, 'main.mts')];
  await promisify(execFile)(process.execPath, args, { env: { ...Object.fromEntries(clean), ...env } });
}

const HTTP = { traces: '/v1/traces', metrics: '/v1/metrics' };
const SERVICES = '/opentelemetry.proto.collector';
const GRPC = {
  traces: `${SERVICES}.trace.v1.TraceService/Export`,
  metrics: `${SERVICES}.metrics.v1.MetricsService/Export`,
};

it.each([
  [undefined, httpCollector, HTTP, 'application/x-protobuf'],
  ['http/protobuf', httpCollector, HTTP, 'application/x-protobuf'],
  ['http/json', httpCollector, HTTP, 'application/json'],
  ['grpc', grpcCollector, GRPC, 'application/grpc'],
])('traces and metrics go out by the protocol %s', async (protocol, collector, paths, type) => {
  const received: Export[] = [];
  const OTEL_EXPORTER_OTLP_ENDPOINT = await collector(received);
  await run({ OTEL_EXPORTER_OTLP_ENDPOINT, ...(protocol ? { OTEL_EXPORTER_OTLP_PROTOCOL: protocol } : {}) });
  for (const [path, name] of [
    [paths.traces, 'a knock'],
    [paths.metrics, 'knocks_total'],
  ]) {
    const found = received.find((one) => one.path === path);
    expect(found?.type).toBe(type);
    expect(found?.body.includes(String(name))).toBe(true);
    expect(found?.body.includes('earshot-door')).toBe(true);
  }
});

it.each([
  'OTEL_EXPORTER_OTLP_PROTOCOL',
  'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL',
  'OTEL_EXPORTER_OTLP_METRICS_PROTOCOL',
])('a protocol in %s that there is not ends the start with what there is', async (name) => {
  const started = run({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', [name]: 'http/xml' });
  await expect(started).rejects.toThrow(`${name} is "http/xml": it can be http/protobuf, http/json or grpc`);
});
