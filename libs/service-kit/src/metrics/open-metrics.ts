import type { MetricReader, ResourceMetrics, ViewOptions } from '@opentelemetry/sdk-metrics';
import type { Logger } from '../logger.ts';
import { Instruments } from './instruments.ts';
import type { Metrics } from './metrics.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface MetricsOptions {
  /** Becomes `earshot-<service>`, unless `OTEL_*` names the service. */
  readonly service: string;
  /** Where the standard `OTEL_*` settings are. Default: the process's environment. */
  readonly env?: Environment;
  readonly log: Logger;
}

const CLOSE_MS = 5_000;

/** What is used of each space of the heap is told; its three sizes are 27 series that nobody asked for. */
const HEAP_SPACES = 'v8js.memory.heap.space.*';

/** True when the standard `OTEL_*` settings name somewhere to push metrics to. */
export function wantsOtlpMetrics(env: Environment): boolean {
  if (env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true') return false;
  const exporter = env.OTEL_METRICS_EXPORTER?.trim();
  if (exporter) return exporter.split(',').includes('otlp');
  return Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT);
}

/** Loads the metrics SDK; nothing of it is loaded before. Closed by the caller. */
export async function openMetrics({ service, log, env = process.env }: MetricsOptions): Promise<Metrics> {
  const [
    { AggregationType, MeterProvider },
    { PrometheusExporter, PrometheusSerializer },
    resources,
    runtimes,
  ] = await Promise.all([
    import('@opentelemetry/sdk-metrics'),
    import('@opentelemetry/exporter-prometheus'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/instrumentation-runtime-node'),
  ]);
  const scraped = new PrometheusExporter({ preventServerStart: true });
  // No prefix, no timestamps, no resource labels, with target_info, without the scope on every line.
  const serializer = new PrometheusSerializer(undefined, false, undefined, false, true);
  const named = resources.resourceFromAttributes({ 'service.name': `earshot-${service}` });
  const detected = resources.detectResources({ detectors: [resources.envDetector] });
  const readers = [scraped, ...(await otlpReaders(env))];
  const views: ViewOptions[] = [{ instrumentName: HEAP_SPACES, aggregation: { type: AggregationType.DROP } }];
  const provider = new MeterProvider({ resource: named.merge(detected), readers, views });
  const runtime = new runtimes.RuntimeNodeInstrumentation();
  runtime.setMeterProvider(provider);
  const instruments = new Instruments(provider.getMeter('earshot'), (err) =>
    log.debug({ err }, 'some metrics cannot be told now'),
  );
  return {
    start: (spec, labels) => instruments.start(spec, labels),
    add: (spec, value, labels) => instruments.counter(spec).add(value, labels),
    record: (spec, value, labels) => instruments.histogram(spec).record(value, labels),
    observe: (specs, read) => instruments.observe(specs, read),
    scrape: async () => {
      const { resourceMetrics } = await scraped.collect();
      return serializer.serialize(withoutUnknown(resourceMetrics));
    },
    close: async () => {
      await provider.shutdown({ timeoutMillis: CLOSE_MS }).catch(() => undefined);
      runtime.disable();
    },
  };
}

async function otlpReaders(env: Environment): Promise<MetricReader[]> {
  if (!wantsOtlpMetrics(env)) return [];
  const [{ PeriodicExportingMetricReader }, { OTLPMetricExporter }] = await Promise.all([
    import('@opentelemetry/sdk-metrics'),
    otlpExporter(env.OTEL_EXPORTER_OTLP_METRICS_PROTOCOL ?? env.OTEL_EXPORTER_OTLP_PROTOCOL),
  ]);
  const every = Number(env.OTEL_METRIC_EXPORT_INTERVAL) || 60_000;
  const exportTimeoutMillis = Math.min(every, Number(env.OTEL_METRIC_EXPORT_TIMEOUT) || 30_000);
  const exporter = new OTLPMetricExporter();
  const send = exporter.export.bind(exporter);
  exporter.export = (figures, onEnd) => send(withoutUnknown(figures), onEnd);
  return [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: every, exportTimeoutMillis })];
}

function otlpExporter(protocol: string | undefined) {
  if (protocol === 'grpc') return import('@opentelemetry/exporter-metrics-otlp-grpc');
  if (protocol === 'http/json') return import('@opentelemetry/exporter-metrics-otlp-http');
  return import('@opentelemetry/exporter-metrics-otlp-proto');
}

/** The SDK repeats what was observed last; what is not known now was observed as NaN. */
function withoutUnknown(resourceMetrics: ResourceMetrics): ResourceMetrics {
  for (const { metrics } of resourceMetrics.scopeMetrics) {
    for (const metric of metrics) {
      const known = (metric.dataPoints as { value: unknown }[]).filter(({ value }) => !Number.isNaN(value));
      Object.assign(metric, { dataPoints: known });
    }
  }
  return resourceMetrics;
}
