import { describe, expect, inject, it } from 'vitest';
import { lets, type Party } from './network-policy.ts';
import { type Manifest, render } from './render-kubernetes.ts';

const { kustomize } = inject('goTools');
const documents = await render(kustomize, 'overlays/enterprise');
const policies = documents.filter(({ kind }) => kind === 'NetworkPolicy');
const shared = documents.find(
  ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'earshot',
)?.data;
const workloads = documents
  .filter(({ kind }) => kind === 'Deployment' || kind === 'Job')
  .map(({ spec }: Manifest) => spec.template)
  .map(({ metadata, spec }) => ({
    name: spec.containers[0].name,
    labels: metadata.labels,
    pod: spec.containers[0],
  }));

const anywhere: Party = { labels: {}, namespace: 'elsewhere' };
const nats = { 'app.kubernetes.io/name': 'nats', 'app.kubernetes.io/component': 'nats' };
const portOf = (url: string, byDefault: number) => Number(/:(\d+)(\/|$)/.exec(url)?.[1] ?? byDefault);

/** What the pod's own settings make it reach: NATS, its database, names, buckets and collectors. */
function needs(pod: { env: { name: string }[] }): number[] {
  const database = pod.env.some(({ name }) => name === 'DATABASE_URL') ? [5432] : [];
  return [portOf(shared.NATS_URL, 4222), ...database, 53, 443, 4317, 4318];
}

describe('the network policies of enterprise', () => {
  it.each(workloads)('let $name out to what its settings name, and to nothing else', ({ labels, pod }) => {
    const asked = [22, 53, 80, 443, 4222, 4317, 4318, 5432, 6222, 6432, 8080, 8222];
    const open = asked.filter((port) => lets(policies, 'egress', labels, anywhere, port));
    expect(open).toEqual(needs(pod).sort((a, b) => a - b));
  });

  it('let results and init alone out to PostgreSQL', () => {
    const reaching = workloads.filter(({ labels }) => lets(policies, 'egress', labels, anywhere, 5432));
    expect(reaching.map(({ name }) => name).sort()).toEqual(['init', 'results']);
  });

  it.each(workloads)('let others in to $name at its listener alone', ({ name, labels }) => {
    expect(lets(policies, 'ingress', labels, anywhere, 'http')).toBe(name !== 'init');
    expect(lets(policies, 'ingress', labels, anywhere, 9229)).toBe(false);
  });

  it.each(workloads)(
    'let $name in to NATS as a client, not to its routes and its monitoring',
    ({ labels }) => {
      const doors = ['nats', 'cluster', 'monitor'].map((port) =>
        lets(policies, 'ingress', nats, { labels }, port),
      );
      expect(doors).toEqual([true, false, false]);
    },
  );

  it('let in to NATS its own servers at the routes, KEDA and Prometheus at the monitoring, pods with the label as clients', () => {
    const doorsOf = (party: Party) =>
      ['nats', 'cluster', 'monitor'].filter((port) => lets(policies, 'ingress', nats, party, port));
    expect(doorsOf({ labels: nats })).toEqual(['cluster']);
    expect(doorsOf({ labels: {}, namespace: 'keda' })).toEqual(['monitor']);
    expect(doorsOf({ labels: {}, namespace: 'monitoring' })).toEqual(['monitor']);
    expect(doorsOf({ labels: { 'earshot-nats-client': 'true' } })).toEqual(['nats']);
    expect(doorsOf({ labels: {} })).toEqual([]);
    expect(doorsOf(anywhere)).toEqual([]);
    expect(doorsOf({ labels: { 'app.kubernetes.io/name': 'earshot' }, namespace: 'elsewhere' })).toEqual([]);
    expect(lets(policies, 'egress', nats, { labels: nats }, 'cluster')).toBe(true);
    expect(lets(policies, 'egress', nats, anywhere, 443)).toBe(false);
  });
});
