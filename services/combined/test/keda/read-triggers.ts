import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import type { Asked, Trigger } from './jetstream-scaler.ts';

const components = join(import.meta.dirname, '../../../../k8s/components');
const read = (file: string) => readFile(join(components, file), 'utf8');

/** The `spec` of our ScaledObject, and that of our ScaledJob. */
export const scaledObject = parse(await read('keda/scaled-object.yaml')).spec;
export const scaledJob = parse(await read('scaled-job/scaled-job.yaml')).spec;

const [map, authentication] = parseAllDocuments(await read('nats-monitoring/nats-monitoring.yaml')).map(
  (one) => one.toJS(),
);

/** Where one server is asked, and where three are: the component nats says. */
export const ENDPOINT: string = map.data.natsServerMonitoringEndpoint;
const { patches } = parse(await read('nats/kustomization.yaml'));
export const ENDPOINT_OF_THREE: string = patches
  .flatMap(({ patch }: { patch: string }) => parse(patch))
  .find(({ path }: { path: string }) => path === '/data/natsServerMonitoringEndpoint').value;

/** What a trigger asks, with what its TriggerAuthentication takes from the ConfigMap. */
export function askedBy(trigger: Trigger, endpoint = ENDPOINT): Asked {
  const taken = authentication.spec.configMapTargetRef.map(
    ({ parameter, key }: { parameter: string; key: string }) => [parameter, map.data[key]],
  );
  const asked = { ...trigger.metadata, ...Object.fromEntries(taken), natsServerMonitoringEndpoint: endpoint };
  return asked as unknown as Asked;
}
