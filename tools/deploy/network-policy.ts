import type { Manifest } from './render-kubernetes.ts';

type Labels = Readonly<Record<string, string>>;
interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly { key: string; operator: string; values: readonly string[] }[];
}
interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
}
interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly { readonly port: number | string }[];
}

/** A pod, or something outside of the cluster: it has no labels. */
export interface Party {
  readonly labels: Labels;
  /** Default: the namespace of the policies. */
  readonly namespace?: string;
}

const selects = ({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels) =>
  Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
  matchExpressions.every(
    ({ key, operator, values }) => operator === 'In' && values.includes(labels[key] ?? ''),
  );

const isPeer = ({ podSelector, namespaceSelector }: Peer, { labels, namespace }: Party) =>
  selects(podSelector ?? {}, labels) &&
  (namespaceSelector
    ? selects(namespaceSelector, { 'kubernetes.io/metadata.name': namespace ?? 'earshot' })
    : namespace === undefined);

const allowedBy = ({ from, to, ports }: Rule, party: Party, port: number | string) =>
  (ports?.some((one) => one.port === port) ?? true) &&
  ((from ?? to)?.some((peer) => isPeer(peer, party)) ?? true);

/** Whether the policies let a connection into (`ingress`) or out of (`egress`) a pod; a port is a number or a name. */
export function lets(
  policies: readonly Manifest[],
  direction: 'ingress' | 'egress',
  pod: Labels,
  party: Party,
  port: number | string,
): boolean {
  const type = direction === 'ingress' ? 'Ingress' : 'Egress';
  const about = policies.filter(
    ({ spec }) => spec.policyTypes.includes(type) && selects(spec.podSelector, pod),
  );
  return (
    about.length === 0 ||
    about.some(({ spec }) => (spec[direction] ?? []).some((rule: Rule) => allowedBy(rule, party, port)))
  );
}
