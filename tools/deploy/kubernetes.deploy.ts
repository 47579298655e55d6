import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SIZES, settings } from '@earshot/contracts';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { stringify } from 'yaml';
import { kubeSchemas } from './kube-schemas.mjs';
import { type Manifest, render, renderWith } from './render-kubernetes.ts';

const run = promisify(execFile);
const { kustomize, kubeconform } = inject('goTools');
const overlays = await readdir(join(import.meta.dirname, '../../k8s/overlays'));
const components = await readdir(join(import.meta.dirname, '../../k8s/components'));
/** Three ways to scale the same workers do not go together; what KEDA asks is in two of them already. */
const AS_JOBS = ['scaled-job', 'gpu-nodes'];
const TOGETHER = components.filter((name) => !['hpa', 'nats-monitoring', ...AS_JOBS].includes(name));

const rendered = new Map<string, Manifest[]>();
for (const name of overlays) rendered.set(name, await render(kustomize, `overlays/${name}`));
const schemas = await kubeSchemas();
const work = await mkdtemp(join(tmpdir(), 'earshot-kubernetes-'));
const whole = await renderWith(kustomize, join(work, 'whole'), TOGETHER);
const withHpa = await renderWith(kustomize, join(work, 'hpa'), ['hpa']);
const withJobs = await renderWith(kustomize, join(work, 'jobs'), ['scaled-job']);
const withGpu = await renderWith(kustomize, join(work, 'gpu'), [...AS_JOBS, 'recordings-bucket', 'nats']);
afterAll(() => rm(work, { recursive: true, force: true }));

/** What kubeconform has against some documents; empty when it takes them. */
async function problems(documents: readonly Manifest[]): Promise<string> {
  const file = join(work, `${Math.random()}.yaml`);
  await writeFile(file, documents.map((document) => stringify(document)).join('---\n'));
  const location = join(schemas, '{{.ResourceKind}}{{.KindSuffix}}.json');
  const args = ['-strict', '-schema-location', location, file];
  return run(kubeconform, args).then(
    () => '',
    (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
  );
}

describe('what kustomize makes of k8s/', () => {
  it.each(overlays)('the overlay %s is what Kubernetes and KEDA take', async (name) => {
    expect(await problems(rendered.get(name) ?? [])).toBe('');
  });

  it('all components together are, and so are the autoscaler without KEDA and workers as Jobs', async () => {
    for (const documents of [whole, withHpa, withJobs, withGpu]) expect(await problems(documents)).toBe('');
  });

  it('a mistake in the pod of a Job that KEDA starts is one', async () => {
    const job = structuredClone(find(withJobs, 'ScaledJob', 'transcription'));
    job.spec.jobTargetRef.template.spec.containers[0].misspelt = true;
    expect(await problems([job])).toContain('misspelt');
  });

  const everything = [...[...rendered.values()].flat(), ...whole, ...withHpa, ...withGpu];
  const kinds = [...new Map(everything.map((document) => [document.kind, document])).values()];
  it.each(kinds)('a $kind with a mistake in it is refused', async (document) => {
    const broken = document.spec
      ? { ...document, spec: { ...document.spec, misspelt: true } }
      : { ...document, data: { PORT: 8080 } };
    expect(await problems([document])).toBe('');
    expect(await problems([broken as Manifest])).toMatch(/misspelt|PORT/);
  });
});

const find = (documents: readonly Manifest[], kind: string, name: string) => {
  const found = documents.find((one) => one.kind === kind && one.metadata.name === `earshot-${name}`);
  if (!found) throw new Error(`there is no ${kind} of ${name}`);
  return found;
};
const containerOf = (deployment: Manifest) => deployment.spec.template.spec.containers[0];
const envOf = (deployment: Manifest): Record<string, string> =>
  Object.fromEntries(
    containerOf(deployment).env.map(({ name, value }: { name: string; value?: string }) => [name, value]),
  );
const workersOf = (overlay: string) => find(rendered.get(overlay) ?? [], 'Deployment', 'transcription');
const gibibytes = (text: string) => Number(/^(\d+)Gi$/.exec(text)?.[1]);

describe('the sizes', () => {
  it.each(SIZES)('$name is what `earshot plan` gives', (size) => {
    const workers = workersOf(size.name);
    const scaled = rendered.get(size.name)?.find(({ kind }) => kind === 'ScaledObject');
    const least = scaled?.spec.minReplicaCount ?? workers.spec.replicas;
    const most = scaled?.spec.maxReplicaCount ?? workers.spec.replicas;
    expect(least).toBeGreaterThanOrEqual(size.instances.min);
    expect(most).toBeLessThanOrEqual(size.instances.max ?? Number.POSITIVE_INFINITY);
    const concurrency = Number(envOf(workers).WORKER_CONCURRENCY);
    expect(concurrency).toBeGreaterThanOrEqual(size.concurrency.min);
    expect(concurrency).toBeLessThanOrEqual(size.concurrency.max);
    const { requests } = containerOf(workers).resources;
    expect(Number(requests.cpu)).toBe(size.cpu);
    expect(gibibytes(requests.memory) * 1024).toBe(size.memory_mb);
  });

  it.each([
    ['development', 1, '2'],
    ['staging', 1, '4'],
    ['small', 1, '4'],
    ['medium', 3, '3'],
  ])('%s has %i workers with %s chunks at a time', (overlay, replicas, concurrency) => {
    expect(workersOf(overlay).spec.replicas).toBe(replicas);
    expect(envOf(workersOf(overlay)).WORKER_CONCURRENCY).toBe(concurrency);
  });

  it('medium asks for 1 CPU and 2 Gi, is bounded by 2 and 4 Gi, and renews children every 15 chunks', () => {
    expect(containerOf(workersOf('medium')).resources).toEqual({
      requests: { cpu: '1', memory: '2Gi' },
      limits: { cpu: '2', memory: '4Gi' },
    });
    expect(envOf(workersOf('medium')).WORKER_MAX_TASKS_PER_CHILD).toBe('15');
  });

  it('large has 4 to 12 workers, enterprise 10 and more, over all zones', () => {
    const bounds = (overlay: string) => {
      const { spec } = find(rendered.get(overlay) ?? [], 'ScaledObject', 'transcription');
      return [spec.minReplicaCount, spec.maxReplicaCount];
    };
    expect(bounds('large')).toEqual([4, 12]);
    expect(bounds('enterprise')[0]).toBe(10);
    const spread = workersOf('enterprise').spec.template.spec.topologySpreadConstraints;
    expect(spread.map(({ topologyKey }: { topologyKey: string }) => topologyKey)).toContain(
      'topology.kubernetes.io/zone',
    );
  });

  it.each(overlays)('%s lets every pod stop in the time that its service takes for it', (overlay) => {
    const documents = rendered.get(overlay) ?? [];
    const shared = documents.find(({ kind }) => kind === 'ConfigMap')?.data ?? {};
    const graceByDefault = (settings.EARSHOT_SHUTDOWN_GRACE_SECONDS as { default?: number }).default;
    for (const service of documents.filter(({ kind }) => kind === 'Deployment')) {
      const own = envOf(service).EARSHOT_SHUTDOWN_GRACE_SECONDS;
      const needed = Number(own ?? graceByDefault) + Number(shared.EARSHOT_DRAIN_SECONDS);
      expect(service.spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(needed);
    }
  });

  it('spot stops within the 25 s that such a machine leaves, and may run where others may not', () => {
    const pod = workersOf('spot').spec.template.spec;
    expect(pod.terminationGracePeriodSeconds).toBeLessThanOrEqual(25);
    expect(pod.tolerations.length).toBeGreaterThan(0);
  });
});

describe('scaling', () => {
  const scaledBy = (overlay: string) => find(rendered.get(overlay) ?? [], 'ScaledObject', 'transcription');

  it.each(['large', 'enterprise', 'spot'])(
    '%s gives each worker as many jobs as it takes at a time',
    (overlay) => {
      const { scalingModifiers } = scaledBy(overlay).spec.advanced;
      expect(scalingModifiers.target).toBe(envOf(workersOf(overlay)).WORKER_CONCURRENCY);
      expect(workersOf(overlay).spec.replicas).toBeUndefined();
    },
  );

  it('counts a job in work as work, leaves slowly, and sends nobody away while it sees nothing', () => {
    const { spec } = scaledBy('large');
    expect(spec.advanced.scalingModifiers).toMatchObject({
      activationTarget: '0',
      metricType: 'AverageValue',
    });
    for (const { metadata } of spec.triggers) expect(metadata.activationLagThreshold).toBe('0');
    const { scaleDown } = spec.advanced.horizontalPodAutoscalerConfig.behavior;
    expect(scaleDown.stabilizationWindowSeconds).toBe(300);
    expect(scaleDown.policies).toEqual([{ type: 'Pods', value: 1, periodSeconds: 60 }]);
    expect(spec.fallback.behavior).toBe('currentReplicasIfHigher');
  });

  it('goes down to nobody, and up by a schedule, where it is asked to', () => {
    const { spec } = find(whole, 'ScaledObject', 'transcription');
    expect(spec.minReplicaCount).toBe(0);
    const formula = new Function(
      'max',
      ...spec.triggers.map(({ name }: { name: string }) => name),
      `return ${spec.advanced.scalingModifiers.formula}`,
    );
    const workersFor = (lags: number[], schedule: number) =>
      formula(Math.max, ...lags, schedule) / Number(spec.advanced.scalingModifiers.target);
    const idle = [0, 0, 0, 0, 0, 0];
    expect(workersFor(idle, 1)).toBe(0);
    expect(workersFor(idle, 3)).toBe(3);
    expect(workersFor([1, 2, 3, 4, 5, 15], 3)).toBe(10);
  });

  it.each(['large', 'spot', 'enterprise'])(
    'of %s asks NATS by a name that holds in the namespace of KEDA too',
    (overlay) => {
      const documents = rendered.get(overlay) ?? [];
      const { data } = find(documents, 'ConfigMap', 'nats-monitoring');
      expect(data.natsServerMonitoringEndpoint).toMatch(/^[a-z-]+\.[a-z-]+\.svc:8222$/);
      const { spec } = find(documents, 'TriggerAuthentication', 'nats-monitoring');
      const told = spec.configMapTargetRef.map(({ parameter, key }: Record<string, string>) => [
        parameter,
        key,
      ]);
      expect(Object.fromEntries(told)).toEqual(
        Object.fromEntries(Object.keys(data).map((key) => [key, key])),
      );
      for (const { authenticationRef } of scaledBy(overlay).spec.triggers)
        expect(authenticationRef).toEqual({ name: 'earshot-nats-monitoring' });
    },
  );

  it('asks the headless service where NATS is three servers', () => {
    for (const documents of [rendered.get('enterprise') ?? [], whole, withGpu]) {
      expect(find(documents, 'ConfigMap', 'nats-monitoring').data.natsServerMonitoringEndpoint).toMatch(
        /^nats-headless\./,
      );
    }
  });

  it('without KEDA follows earshot_queue_length, 5 for each of 2 to 10 workers', () => {
    const { spec } = find(withHpa, 'HorizontalPodAutoscaler', 'transcription');
    expect([spec.minReplicas, spec.maxReplicas]).toEqual([2, 10]);
    expect(spec.metrics[0].external).toEqual({
      metric: { name: 'earshot_queue_length' },
      target: { type: 'AverageValue', averageValue: '5' },
    });
  });
});

describe('who reaches what', () => {
  it('with a bucket no pod mounts a shared volume', () => {
    expect(whole.filter(({ kind }) => kind === 'PersistentVolumeClaim')).toEqual([]);
    expect(JSON.stringify(whole)).not.toMatch(/\/data\/recordings|persistentVolumeClaim/);
    const shared = whole.find(({ kind }) => kind === 'ConfigMap')?.data;
    expect(shared.EARSHOT_STORAGE_URL).toMatch(/^gs:/);
    expect(shared.EARSHOT_NATS_REPLICAS).toBe('3');
  });

  it('credentials of Google are with workers, and with all services where recordings are in a bucket', () => {
    const holders = (documents: readonly Manifest[]) =>
      documents
        .filter(({ kind }) => kind === 'Deployment')
        .filter((service) =>
          containerOf(service).env.some(
            ({ name, valueFrom }: { name: string; valueFrom?: { secretKeyRef: { optional?: boolean } } }) =>
              name === 'GOOGLE_APPLICATION_CREDENTIALS_JSON' && valueFrom?.secretKeyRef.optional,
          ),
        )
        .map(({ metadata }) => metadata.name.replace('earshot-', ''))
        .sort();
    expect(holders(rendered.get('large') ?? [])).toEqual(['transcription']);
    expect(holders(whole)).toEqual(['ingest', 'results', 'transcription']);
  });

  it('a node that is drained takes one pod of a service at a time', () => {
    const budgets = whole.filter(({ kind }) => kind === 'PodDisruptionBudget');
    expect(budgets.map(({ spec }) => spec.maxUnavailable)).toEqual([1, 1, 1]);
  });
});

describe('workers as Jobs', () => {
  const { spec } = find(withJobs, 'ScaledJob', 'transcription');
  const { template } = spec.jobTargetRef;

  it('are the pods of the deployment, which is not there, and end when there is nothing to do', () => {
    const base = rendered.get('development') ?? [];
    const { topologySpreadConstraints: _, ...pod } = find(base, 'Deployment', 'transcription').spec.template
      .spec;
    const [{ env, ...worker }] = template.spec.containers;
    const [{ env: settingsOfBase, ...workerOfBase }] = pod.containers;
    expect({ ...template.spec, containers: [worker] }).toEqual({
      ...pod,
      restartPolicy: 'Never',
      containers: [workerOfBase],
    });
    const names = (list: { name: string }[]) => list.map(({ name }) => name).sort();
    expect(names(env)).toEqual([...names(settingsOfBase), 'EARSHOT_EXIT_WHEN_IDLE_SECONDS'].sort());
    const workers = withJobs.filter(
      ({ metadata, kind }) => /transcription/.test(metadata.name) && kind !== 'Service',
    );
    expect(workers.map(({ kind }) => kind)).toEqual(['ScaledJob']);
  });

  it('are as many as the jobs on all lanes want, and run on when a new version comes', () => {
    expect(spec.scalingStrategy).toEqual({ strategy: 'default', multipleScalersCalculation: 'sum' });
    expect(spec.rollout).toEqual({ strategy: 'gradual' });
    expect(spec.minReplicaCount).toBe(0);
    expect(spec.triggers).toEqual(
      find(rendered.get('large') ?? [], 'ScaledObject', 'transcription').spec.triggers,
    );
  });

  it('run on nodes with a GPU where they are told to, with recordings in a bucket or on a volume', () => {
    const pod = find(withGpu, 'ScaledJob', 'transcription').spec.jobTargetRef.template.spec;
    expect(Object.values(pod.nodeSelector)).toEqual(['nvidia-l4']);
    expect(pod.tolerations).toEqual([{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }]);
    expect(pod.containers[0].resources.limits).toEqual({ memory: '2Gi', 'nvidia.com/gpu': '1' });
    expect(JSON.stringify(withGpu)).not.toMatch(/\/data\/recordings|persistentVolumeClaim/);
  });
});
