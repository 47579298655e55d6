import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { eventually, freePort, type OtlpReceiver, startOtlpReceiver } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findCollector } from '../../../../tools/deploy/otel-collector.mjs';
import { FaultWorld } from '../faults/fault-world.ts';

const CONFIG = join(import.meta.dirname, '../../../../deploy/otel/collector.yml');
/** Two collectors on one machine would both serve their own metrics at one port. */
const QUIET = { 'service::telemetry::metrics::level': 'none' };
let program: string;
const running: ChildProcess[] = [];
let receiver: OtlpReceiver;
let world: FaultWorld | undefined;

beforeAll(async () => {
  program = await findCollector((line) => process.stdout.write(`${line}\n`));
  receiver = await startOtlpReceiver();
}, 1_200_000);
afterAll(async () => {
  await world?.close();
  for (const child of running) {
    const gone = once(child, 'exit');
    if (child.kill('SIGKILL')) await gone;
  }
  await receiver?.close();
});

function collect(configs: readonly string[], settings: Readonly<Record<string, string>>): void {
  const own = Object.entries({ ...QUIET, ...settings }).map(([name, value]) => `yaml:${name}: "${value}"`);
  const args = [...configs, ...own].flatMap((config) => ['--config', config]);
  running.push(spawn(program, args, { stdio: 'ignore' }));
}

it('spans of all services go through the collector as compose runs it, on to where the trace viewer listens', async () => {
  const [viewer, http, grpc] = [await freePort(), await freePort(), await freePort()];
  collect([CONFIG], {
    'receivers::otlp::protocols::http::endpoint': `127.0.0.1:${http}`,
    'receivers::otlp::protocols::grpc::endpoint': `127.0.0.1:${grpc}`,
    'exporters::otlp::endpoint': `127.0.0.1:${viewer}`,
  });
  // In the place of the viewer, a collector that hands on as JSON what it gets.
  collect(
    [
      'yaml:receivers::otlp::protocols::grpc::max_recv_msg_size_mib: 16',
      'yaml:service::pipelines::traces: {receivers: [otlp], exporters: [otlphttp]}',
    ],
    {
      'receivers::otlp::protocols::grpc::endpoint': `127.0.0.1:${viewer}`,
      'exporters::otlphttp::endpoint': receiver.env.OTEL_EXPORTER_OTLP_ENDPOINT ?? '',
      'exporters::otlphttp::encoding': 'json',
      'exporters::otlphttp::compression': 'none',
    },
  );
  world = await FaultWorld.start({
    workers: 1,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${http}`, OTEL_METRICS_EXPORTER: 'none' },
  });
  const transcript = await world.finished(await world.submit());
  expect(transcript.status).toBe('completed');
  const services = () => [...new Set(receiver.spans.map(({ service }) => service))].sort();
  const wanted = ['earshot-ingest', 'earshot-results', 'earshot-transcription'];
  await eventually('spans of all three', () => wanted.every((name) => services().includes(name)), 60_000);
}, 300_000);
