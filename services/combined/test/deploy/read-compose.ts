import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { serviceOfImage, type Workload } from './workload.ts';

interface ComposeService {
  readonly image?: string;
  readonly profiles?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
}

/** Names that compose fills in from the environment are left as they stand, or get their default. */
const filledIn = (value: string) => value.replace(/\$\{\w+:-([^}]*)\}/g, '$1');

/** Our own services of a compose file that start with a profile, and what prepares for them. */
export async function readCompose(repository: string, profile = 'services'): Promise<Workload[]> {
  const file = await readFile(join(repository, 'docker-compose.yml'), 'utf8');
  const { services } = parse(file, { merge: true }) as { services: Record<string, ComposeService> };
  return Object.entries(services)
    .filter(([, { image, profiles }]) => image?.startsWith('earshot-') && profiles?.includes(profile))
    .map(([name, service]) => workload(name, service));
}

function workload(name: string, service: ComposeService): Workload {
  const { image = '', entrypoint, command, environment, healthcheck } = service;
  const values = Object.entries(environment ?? {}).map(([key, value]) => [key, filledIn(String(value))]);
  const probe = /:8080(\/\w+)/.exec(healthcheck?.test.join(' ') ?? '')?.[1];
  return {
    name,
    image: serviceOfImage(image),
    command: entrypoint ? [...entrypoint, ...(command ?? [])] : command,
    env: Object.fromEntries(values),
    probes: probe ? [probe] : [],
  };
}
