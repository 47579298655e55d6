/** What a deployment runs as one process: its settings as written there, and where it is asked whether it is well. */
export interface Workload {
  /** `init` or a service. */
  readonly name: string;
  /** The service that its image is built for. */
  readonly image: string;
  /** What is run in place of the image's own command. */
  readonly command: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Paths of its probes; none for what ends by itself. */
  readonly probes: readonly string[];
}

/** `ingest` of the image `registry/earshot-ingest:1`. */
export const serviceOfImage = (image: string) => /earshot-(\w+)(?=[:@]|$)/.exec(image)?.[1] ?? '';

/**
 * The settings of a workload with the addresses of this machine instead of those of its platform. A name that the workload
 * does not set is not added: what is missing there is missing here.
 */
export function onThisMachine(
  env: Readonly<Record<string, string>>,
  local: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, local[name] ?? value]));
}
