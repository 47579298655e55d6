type Environment = Readonly<Record<string, string | undefined>>;

const PROTOCOLS = ['http/protobuf', 'http/json', 'grpc'];
const NAMES = [
  'OTEL_EXPORTER_OTLP_PROTOCOL',
  'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL',
  'OTEL_EXPORTER_OTLP_METRICS_PROTOCOL',
];

/** A line for each setting that names a protocol there is not: the SDK would silently take another one. */
export function otlpProtocolProblems(env: Environment): string[] {
  return NAMES.flatMap((name) => {
    const value = env[name]?.trim();
    if (!value || PROTOCOLS.includes(value)) return [];
    return [`${name} is "${value}": it can be http/protobuf, http/json or grpc`];
  });
}
