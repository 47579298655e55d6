import { createRequire } from 'node:module';
import type { NodeSDK } from '@opentelemetry/sdk-node';

/** Probes come every few seconds and are part of no recording's trace. */
const PROBES = /^\/(livez|readyz|health|metrics)\b/;

/**
 * Loads the SDK and the instrumentations, and starts them; everything else follows the standard `OTEL_*` settings.
 * Synchronous by `require`, because an `import` would let the libraries be loaded first. Metrics have a provider of their
 * own, and logs go to stdout.
 */
export function loadTelemetrySdk(serviceName: string | undefined): NodeSDK {
  const require = createRequire(import.meta.url);
  const { NodeSDK } = require('@opentelemetry/sdk-node') as typeof import('@opentelemetry/sdk-node');
  const sdk = new NodeSDK({
    ...(serviceName ? { serviceName } : {}),
    instrumentations: instrumentations(require),
    metricReaders: [],
    logRecordProcessors: [],
  });
  sdk.start();
  // Built-in modules may have been loaded before: they are patched when they are required the next time.
  require('node:http');
  require('node:https');
  return sdk;
}

/** Work without a trace of its own (sweeps, heartbeats) makes no spans of calls. */
function instrumentations(require: NodeJS.Require) {
  const { HttpInstrumentation } =
    require('@opentelemetry/instrumentation-http') as typeof import('@opentelemetry/instrumentation-http');
  const { UndiciInstrumentation } =
    require('@opentelemetry/instrumentation-undici') as typeof import('@opentelemetry/instrumentation-undici');
  const { PgInstrumentation } =
    require('@opentelemetry/instrumentation-pg') as typeof import('@opentelemetry/instrumentation-pg');
  const { FastifyOtelInstrumentation } = require('@fastify/otel') as typeof import('@fastify/otel');
  return [
    new HttpInstrumentation({
      requireParentforOutgoingSpans: true,
      ignoreIncomingRequestHook: ({ url = '' }) => PROBES.test(url),
    }),
    new UndiciInstrumentation({ requireParentforSpans: true }),
    new PgInstrumentation({ requireParentSpan: true, ignoreConnectSpans: true }),
    new FastifyOtelInstrumentation({
      registerOnInitialization: true,
      instrumentHooks: false,
      ignorePaths: ({ url }) => PROBES.test(url),
    }),
  ];
}
