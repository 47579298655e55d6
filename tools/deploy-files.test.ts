import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { settings } from '@earshot/contracts';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { repositoryRoot } from './fence-workspace.ts';

/** What a deploy file holds: every scalar is text. */
type Yaml = string | null | Yaml[] | { [key: string]: Yaml };

/** The documents of a file; throws for what is not YAML, a repeated key included. */
function readYaml(source: string): Yaml[] {
  return parseAllDocuments(source, { schema: 'failsafe', merge: true }).map((document) => {
    if (document.errors[0]) throw document.errors[0];
    return document.toJS() as Yaml;
  });
}

const text = (...path: string[]) => readFile(join(repositoryRoot, ...path), 'utf8');
type Tree = { [key: string]: Yaml };

/** The value at a path of keys and indexes; undefined when there is none. */
function at(tree: Yaml | undefined, ...path: (string | number)[]): Yaml | undefined {
  let value: Yaml | undefined = tree;
  for (const key of path) value = (value as Tree | null | undefined)?.[key as string];
  return value;
}
const listAt = (tree: Yaml, ...path: (string | number)[]) => (at(tree, ...path) ?? []) as Tree[];
const keysAt = (tree: Yaml, ...path: (string | number)[]) => Object.keys((at(tree, ...path) ?? {}) as Tree);

const health = await text('libs/service-kit/src/health.ts');
const dockerfile = await text('deploy/Dockerfile');
const natsConfig = await text('deploy/nats/nats-server.conf');
const nginxConfig = await text('deploy/nginx/nginx.conf');
const compose = readYaml(await text('docker-compose.yml'))[0] as Tree;
const manifests = (
  await Promise.all(
    (
      await readdir(join(repositoryRoot, 'k8s/base'))
    )
      .filter((file) => file.endsWith('.yaml'))
      .map(async (file) => readYaml(await text('k8s/base', file))),
  )
).flat() as Tree[];
const ofKind = (kind: string) => manifests.filter((each) => each.kind === kind);

const SERVICES = ['ingest', 'transcription', 'results'];
const isSetting = (name: string) =>
  Object.hasOwn(settings, name.replace(/_FILE$/, '')) || Object.hasOwn(settings, name);
const HTTP_PORT = '8080';
const graceSeconds = (settings.EARSHOT_SHUTDOWN_GRACE_SECONDS as { default?: number }).default;

describe('docker-compose.yml', () => {
  const ours = ['init', ...SERVICES];
  const others = ['transcription-google', 'combined'];
  const foreign: Record<string, RegExp> = {
    nats: /^NATS_(SERVER_NAME|(INIT|INGEST|TRANSCRIPTION|RESULTS|COMBINED|PUBLISHER|CONSUMER)_PASSWORD)$/,
    postgres: /^POSTGRES_(USER|DB|PASSWORD)$/,
  };

  const viewers = ['collector', 'jaeger', 'prometheus', 'grafana'];

  it('holds the two servers, the init step, the services, the origin in front, and who looks at them', () => {
    const all = [...ours, ...others, ...Object.keys(foreign), 'origin', ...viewers];
    expect(keysAt(compose, 'services').sort()).toEqual(all.sort());
  });

  it.each([...ours, ...others])('gives %s only settings that exist', (name) => {
    const names = keysAt(compose, 'services', name, 'environment');
    expect(names).toContain('NATS_URL');
    expect(names.filter((each) => !isSetting(each) && !each.startsWith('OTEL_'))).toEqual([]);
  });

  /** Who starts with a profile: those without one always do. */
  const startedBy = (profile: string) =>
    keysAt(compose, 'services').filter((name) => {
      const profiles = at(compose, 'services', name, 'profiles') as string[] | undefined;
      return profiles?.includes(profile) ?? true;
    });

  it.each([
    ['services', ['ingest', 'init', 'nats', 'origin', 'postgres', 'results', 'transcription']],
    ['google', ['ingest', 'init', 'nats', 'origin', 'postgres', 'results', 'transcription-google']],
    ['combined', ['combined', 'nats', 'postgres']],
    ['observability', [...viewers, 'nats', 'postgres'].sort()],
  ])(
    'starts with the profile %s what it names, nothing twice, and all that this needs',
    (profile, expected) => {
      const started = startedBy(profile);
      expect(started.sort()).toEqual(expected);
      const needed = started.flatMap((name) => keysAt(compose, 'services', name, 'depends_on'));
      expect(needed.filter((name) => !started.includes(name))).toEqual([]);
      const ports = started.flatMap((name) => (at(compose, 'services', name, 'ports') ?? []) as string[]);
      expect(ports.length).toBe(new Set(ports).size);
    },
  );

  it('starts the services unless .env says otherwise', async () => {
    expect(await text('.env.example')).toMatch(/^COMPOSE_PROFILES=services$/m);
  });

  it('lets workers be scaled: nothing that only one of them could have', () => {
    for (const name of ['transcription', 'transcription-google'])
      expect(Object.keys(at(compose, 'services', name) as Tree)).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/^(ports|container_name|hostname)$/)]),
      );
  });

  it('gives the credentials of Google to its worker alone, and that worker all that the other has', () => {
    const [plain, google] = ['transcription', 'transcription-google'].map(
      (name) => at(compose, 'services', name) as Tree,
    );
    const withSecret = keysAt(compose, 'services').filter((name) =>
      ((at(compose, 'services', name, 'secrets') ?? []) as string[]).includes('google-credentials'),
    );
    expect(withSecret).toEqual(['transcription-google']);
    expect(google).toMatchObject({
      environment: plain?.environment,
      read_only: 'true',
      cap_drop: ['ALL'],
      volumes: plain?.volumes,
    });
    expect(at(google, 'environment', 'GOOGLE_APPLICATION_CREDENTIALS_JSON_FILE')).toBe(
      '/run/secrets/google-credentials',
    );
  });

  it('gives those who look at it files that exist', () => {
    for (const name of viewers) {
      const mounts = (at(compose, 'services', name, 'volumes') ?? []) as string[];
      const files = mounts.filter((mount) => mount.startsWith('.')).map((mount) => mount.split(':')[0] ?? '');
      expect(files.filter((file) => !existsSync(join(repositoryRoot, file)))).toEqual([]);
    }
  });

  it('lets Prometheus scrape every service where it listens, with the rules', async () => {
    const config = readYaml(await text('deploy/prometheus/prometheus.yml'))[0] as Tree;
    const jobs = config.scrape_configs as Tree[];
    expect(jobs.map((job) => job.job_name).sort()).toEqual([...SERVICES, 'combined'].sort());
    for (const job of jobs) {
      const [target] = job.dns_sd_configs as Tree[];
      expect(target).toMatchObject({ names: [job.job_name], port: HTTP_PORT });
    }
    expect(at(compose, 'services', 'prometheus', 'volumes')).toContain(
      './deploy/prometheus/rules.yml:/etc/prometheus/rules.yml:ro',
    );
  });

  it.each(Object.entries(foreign))('gives %s only what its image or our server file reads', (name, known) => {
    expect(keysAt(compose, 'services', name, 'environment').filter((each) => !known.test(each))).toEqual([]);
  });

  it('gives nats every variable of its server file', () => {
    const used = [...natsConfig.matchAll(/\s\$([A-Z_]+)/g)].map(([, name]) => name);
    expect(keysAt(compose, 'services', 'nats', 'environment').sort()).toEqual([...new Set(used)].sort());
  });

  it.each([...ours, 'combined'])('lets %s in to nats as a user of its own', (name) => {
    const environment = at(compose, 'services', name, 'environment');
    const variable = `NATS_${name.toUpperCase()}_PASSWORD`;
    expect(at(environment, 'NATS_USER')).toBe(name);
    expect(at(environment, 'NATS_INBOX_PREFIX')).toBe(`_INBOX_${name}`);
    expect(at(environment, 'NATS_PASSWORD')).toBe(`\${${variable}:?fill in .env}`);
    expect(natsConfig).toMatch(new RegExp(`user: "${name}"\\s+password: \\$${variable}\\s+permissions:`));
  });

  it('asks for nothing that .env.example does not name', async () => {
    const example = await text('.env.example');
    const named = [...example.matchAll(/^#? ?([A-Z_]+)=/gm)].map(([, name]) => name);
    const asked = [...(await text('docker-compose.yml')).matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name);
    expect([...new Set(asked), 'COMPOSE_PROFILES'].sort()).toEqual(named.sort());
  });

  it('lets only results and init reach PostgreSQL', () => {
    const withDatabase = [...ours, 'transcription-google'].filter((name) =>
      keysAt(compose, 'services', name, 'environment').includes('DATABASE_URL'),
    );
    expect(withDatabase).toEqual(['init', 'results']);
  });

  it.each(SERVICES)('starts %s after init, without privileges, on its own port, with keys', (name) => {
    const service = at(compose, 'services', name) as Tree;
    expect(at(service, 'depends_on', 'init', 'condition')).toBe('service_completed_successfully');
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.privileged).toBeUndefined();
    expect(at(service, 'environment', 'PORT')).toBe(HTTP_PORT);
    expect(at(service, 'environment', 'EARSHOT_API_KEYS_FILE')).toBe('/run/secrets/api-keys');
    expect(service.secrets).toEqual(['api-keys']);
    expect(service.ports).toBeUndefined();
    expect(String(listAt(service, 'healthcheck', 'test').at(-1))).toContain(`127.0.0.1:${HTTP_PORT}/readyz`);
  });

  it('publishes the API at its origin alone, which may write nowhere and do nothing else', () => {
    const origin = at(compose, 'services', 'origin') as Tree;
    expect(origin.ports).toEqual([`127.0.0.1:8080:${HTTP_PORT}`]);
    expect([origin.read_only, origin.cap_drop, origin.tmpfs]).toEqual(['true', ['ALL'], ['/tmp']]);
    expect(String(origin.user)).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(origin.volumes).toEqual(['./deploy/nginx/nginx.conf:/etc/nginx/nginx.conf:ro']);
    const written = [...nginxConfig.matchAll(/^\s*(?:pid|\w+_temp_path) (\S+);/gm)].map(([, path]) => path);
    expect(written.length).toBeGreaterThan(1);
    for (const path of written) expect(path).toMatch(/^\/tmp\//);
    expect(nginxConfig).toContain(`listen ${HTTP_PORT};`);
    const asked = [...nginxConfig.matchAll(/http:\/\/(\w+):(\d+);/g)].map(([, name, port]) => [name, port]);
    expect(asked).toEqual([
      ['ingest', HTTP_PORT],
      ['results', HTTP_PORT],
    ]);
    expect(Object.keys(origin.depends_on as Tree)).toEqual(['ingest', 'results']);
    expect(String(listAt(origin, 'healthcheck', 'test').at(-1))).toBe(`http://127.0.0.1:${HTTP_PORT}/readyz`);
  });

  it('probes nats and publishes it where its server file listens', () => {
    const probe = String(listAt(compose, 'services', 'nats', 'healthcheck', 'test').at(-1));
    expect(natsConfig).toContain(`http: "0.0.0.0:${new URL(probe).port}"`);
    expect(natsConfig).toContain('listen: "0.0.0.0:4222"');
    expect(at(compose, 'services', 'ingest', 'environment', 'NATS_URL')).toBe('nats://nats:4222');
    expect(natsConfig).toContain('store_dir: "/data"');
    expect(at(compose, 'services', 'nats', 'volumes')).toContain('nats:/data');
  });

  it('declares every volume and secret it uses', () => {
    const used = keysAt(compose, 'services')
      .flatMap((name) => (at(compose, 'services', name, 'volumes') ?? []) as string[])
      .filter((mount) => !mount.startsWith('.'))
      .map((mount) => mount.split(':')[0]);
    expect([...new Set(used)].sort()).toEqual(keysAt(compose, 'volumes').sort());
    expect(keysAt(compose, 'secrets')).toEqual(['api-keys', 'google-credentials']);
  });
});

describe('deploy/Dockerfile', () => {
  it('has a stage for every service of compose, and ends as an ordinary user on our port', () => {
    const stages = [...dockerfile.matchAll(/^FROM \S+ AS base-(\w+)$/gm)].map(([, name]) => name);
    const built = keysAt(compose, 'services').map((name) =>
      at(compose, 'services', name, 'build', 'args', 'SERVICE'),
    );
    expect(stages).toEqual(expect.arrayContaining(built.filter((name) => name !== undefined)));
    expect(dockerfile).toMatch(/^USER 1000:1000$/m);
    expect(dockerfile).toContain(`EXPOSE ${HTTP_PORT}`);
    expect(dockerfile).toContain('ENTRYPOINT ["/usr/bin/tini", "--"]');
    expect(dockerfile).toContain('HEALTHCHECK --interval=30s --timeout=10s --start-period=5s --retries=3');
  });

  it('sets only settings that exist', () => {
    const names = [...dockerfile.matchAll(/\b((?:EARSHOT|NATS|WORKER)_[A-Z_]+)=/g)].map(
      ([, name]) => name ?? '',
    );
    expect(names).toContain('EARSHOT_MODEL_DIR');
    expect(names.filter((name) => !isSetting(name))).toEqual([]);
  });
});

describe('k8s/base', () => {
  const config = keysAt(ofKind('ConfigMap')[0] ?? null, 'data');
  const workloads = [...ofKind('Deployment'), ...ofKind('Job')].map((manifest) => ({
    name: String(at(manifest, 'metadata', 'name')),
    manifest,
    pod: at(manifest, 'spec', 'template', 'spec') as Tree,
    container: listAt(manifest, 'spec', 'template', 'spec', 'containers')[0] as Tree,
  }));
  const deployments = workloads.filter(({ manifest }) => manifest.kind === 'Deployment');
  const envNames = (container: Tree) => listAt(container, 'env').map(({ name }) => String(name));

  it('holds three deployments and the init job, and kustomize lists every file', async () => {
    expect(workloads.map(({ name }) => name).sort()).toEqual(
      ['init', ...SERVICES].map((name) => `earshot-${name}`).sort(),
    );
    const files = await readdir(join(repositoryRoot, 'k8s/base'));
    expect([...listAt(ofKind('Kustomization')[0] ?? null, 'resources'), 'kustomization.yaml'].sort()).toEqual(
      files.sort(),
    );
  });

  it('sets only settings that exist', () => {
    const names = [...config, ...workloads.flatMap(({ container }) => envNames(container))];
    expect(names).toEqual(expect.arrayContaining(['NATS_URL', 'DATABASE_URL', 'WORKER_CONCURRENCY']));
    expect(names.filter((name) => !isSetting(name))).toEqual([]);
  });

  it('lets only results and init reach PostgreSQL', () => {
    const withDatabase = workloads.filter(({ container }) => envNames(container).includes('DATABASE_URL'));
    expect(withDatabase.map(({ name }) => name).sort()).toEqual(['earshot-init', 'earshot-results']);
  });

  it.each(workloads)('runs $name as an ordinary user who can write nowhere else', ({ pod, container }) => {
    expect(at(pod, 'securityContext', 'runAsNonRoot')).toBe('true');
    expect(at(container, 'securityContext', 'readOnlyRootFilesystem')).toBe('true');
    expect(at(container, 'securityContext', 'allowPrivilegeEscalation')).toBe('false');
    expect(at(container, 'securityContext', 'capabilities', 'drop')).toEqual(['ALL']);
    expect(keysAt(container, 'resources', 'requests')).toEqual(['cpu', 'memory']);
    expect(at(container, 'resources', 'limits', 'memory')).toBeDefined();
    expect(dockerfile).toContain(`USER ${at(pod, 'securityContext', 'runAsUser')}:`);
  });

  it.each(workloads)('adds no EARSHOT_* variables of service links to $name', ({ pod }) => {
    expect(pod.enableServiceLinks).toBe('false');
  });

  it.each(deployments)(
    'probes $name at paths that exist, and gives it time to stop',
    ({ pod, container }) => {
      const probes = ['startupProbe', 'livenessProbe', 'readinessProbe'].map((probe) =>
        at(container, probe, 'httpGet', 'path'),
      );
      expect(probes).toEqual(['/readyz', '/livez', '/readyz']);
      for (const path of probes) expect(health).toContain(`server.get('${path}'`);
      expect(Number(pod.terminationGracePeriodSeconds)).toBeGreaterThan(Number(graceSeconds));
      expect(at(container, 'ports', 0, 'containerPort')).toBe(HTTP_PORT);
      expect(at(ofKind('ConfigMap')[0], 'data', 'PORT')).toBe(HTTP_PORT);
    },
  );

  it.each(deployments)('has a service in front of $name that finds its pods', ({ name, manifest }) => {
    const service = ofKind('Service').find((each) => at(each, 'metadata', 'name') === name);
    expect(at(service, 'spec', 'selector')).toEqual(at(manifest, 'spec', 'selector', 'matchLabels'));
    expect(at(service, 'spec', 'selector')).toEqual(at(manifest, 'metadata', 'labels'));
  });

  it('sets a tag for every image it runs', () => {
    const images = listAt(ofKind('Kustomization')[0] ?? null, 'images').map(({ name }) => name);
    expect(images.sort()).toEqual(workloads.map(({ container }) => container.image).sort());
  });
});

it('the server file keeps what the design rests on', () => {
  for (const line of ['sync_interval: always', 'ping_interval: "10s"', 'max_payload: 1MB'])
    expect(natsConfig).toContain(line);
  expect(natsConfig).toMatch(/accounts \{[\s\S]*jetstream \{[^}]*max_file: \w+/);
  expect(natsConfig).toMatch(/user: "publisher"[\s\S]*publish: \["uploads\.\*"\]/);
});
