/** What a deployment runs as one process: its settings as written there, and where it is asked whether it is well. */
export interface Workload {
  /** `init` or a service. */
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  /** Paths of its probes; none for what ends by itself. */
  readonly probes: readonly string[];
}

/** The script that an image runs for a workload, from this repository's build. */
export const scriptOf = ({ name }: Workload) =>
  name === 'init' ? 'services/combined/dist/init.js' : `services/${name}/dist/main.js`;

/**
 * The settings of a workload with the addresses of this machine instead of those of its platform. A name that the workload
 * does not set is not added: what is missing there is missing here.
 */
export function onThisMachine(
  { env }: Workload,
  local: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, local[name] ?? value]));
}
