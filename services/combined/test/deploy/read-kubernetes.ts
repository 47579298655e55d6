import type { Manifest } from '../../../../tools/deploy/render-kubernetes.ts';
import { serviceOfImage, type Workload } from './workload.ts';

interface EnvEntry {
  readonly name: string;
  readonly value?: string;
}

const KINDS = ['Deployment', 'Job', 'ScaledJob'];

/** The deployments and jobs of rendered manifests, KEDA's too; values from Secrets are empty. */
export function workloadsOf(documents: readonly Manifest[]): Workload[] {
  const maps = new Map(
    documents.filter(({ kind }) => kind === 'ConfigMap').map((map) => [map.metadata.name, map.data]),
  );
  return documents
    .filter(({ kind }) => KINDS.includes(kind))
    .map(({ spec }) => {
      const [container] = (spec.jobTargetRef ?? spec).template.spec.containers;
      const shared = (container.envFrom ?? []).map((from: { configMapRef: { name: string } }) =>
        maps.get(from.configMapRef.name),
      );
      const own = (container.env as EnvEntry[]).map(({ name, value }) => [name, value ?? '']);
      const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
      return {
        name: container.name,
        image: serviceOfImage(container.image),
        command: container.command ? [...container.command, ...(container.args ?? [])] : container.args,
        env: Object.assign({}, ...shared, Object.fromEntries(own)),
        probes: probes.flatMap((probe) => probe?.httpGet.path ?? []),
      };
    });
}
