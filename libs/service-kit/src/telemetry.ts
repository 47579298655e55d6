import type { NodeSDK } from '@opentelemetry/sdk-node';
import type { GooglePlatform } from './google-log.ts';
import { otlpProtocolProblems } from './otlp-protocol.ts';
import { loadTelemetrySdk } from './telemetry-sdk.ts';

type Environment = Readonly<Record<string, string | undefined>>;

let sdk: NodeSDK | undefined;

/** True when the standard `OTEL_*` settings name somewhere to send traces to. */
export function wantsTraces(env: Environment): boolean {
  if (env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true') return false;
  const exporter = env.OTEL_TRACES_EXPORTER?.trim();
  if (exporter) return exporter !== 'none';
  return Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);
}

const namesService = (env: Environment) =>
  Boolean(env.OTEL_SERVICE_NAME || env.OTEL_RESOURCE_ATTRIBUTES?.includes('service.name='));

/**
 * Starts OpenTelemetry when the environment asks for it, and loads nothing of it otherwise. Must run before the libraries
 * it watches are loaded: call it from a module that is the first import of a program. `service` becomes `earshot-<service>`.
 * Ends the process with exit code 2 when the settings name a protocol that there is not.
 */
export function startTelemetry(service: string): void {
  const { env } = process;
  const problems = otlpProtocolProblems(env);
  if (problems.length > 0) {
    process.stderr.write(`${problems.join('\n')}\n`);
    process.exit(2);
  }
  if (sdk || !wantsTraces(env)) return;
  sdk = loadTelemetrySdk(namesService(env) ? undefined : `earshot-${service}`);
}

/** Sends what is still buffered, for at most 5 s; for the end of a program. Never rejects, and does nothing without a start. */
export async function stopTelemetry(): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, 5_000);
  });
  await Promise.race([sdk?.shutdown().catch(() => undefined), late]);
  clearTimeout(timer);
}

/** What Google's standard variables tell, on Cloud Run and wherever the project is named; undefined elsewhere. */
export function googlePlatform(env: Environment = process.env): GooglePlatform | undefined {
  if (!env.K_SERVICE && !env.GOOGLE_CLOUD_PROJECT) return undefined;
  return { project: env.GOOGLE_CLOUD_PROJECT || undefined };
}
