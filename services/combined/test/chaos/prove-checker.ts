import { mutatedCopy } from './mutated-copy.ts';
import { type Mutation, mutations } from './mutations.ts';
import { type ChaosOptions, type ChaosReport, runChaos } from './run-chaos.ts';
import type { Step } from './schedule.ts';

/** All workers lose what is on its way to the broker, acks too. */
const dropAll = (at: number): Step[] =>
  ([0, 1, 2] as const).map((n) => ({ at, fault: { kind: 'drop', edge: `worker-${n}/nats` } }));

/**
 * Faults that give each mutation its chance, and that the product survives. Jobs pile up before the first drop; whoever is
 * killed has a batch of facts in work that cannot be stored, and late results, which nobody would miss, are through by then.
 */
const SCHEDULE: readonly Step[] = [
  { at: 0.01, fault: { kind: 'refuse_calls', calls: 40 } },
  { at: 0.2, fault: { kind: 'late_results', chunks: 40 } },
  ...[0.3, 0.42].flatMap(dropAll),
  { at: 0.45, fault: { kind: 'partition', edge: 'results-0/postgres', ms: 8_000 } },
  { at: 0.5, fault: { kind: 'kill', target: 'results-0' } },
  { at: 0.6, fault: { kind: 'kill', target: 'worker-1' } },
  { at: 0.65, fault: { kind: 'kill', target: 'worker-2' } },
  { at: 0.65, fault: { kind: 'pause', target: 'worker-0', ms: 7_000 } },
  { at: 0.7, fault: { kind: 'kill', target: 'worker-1' } },
  { at: 0.75, fault: { kind: 'kill', target: 'nats' } },
  { at: 0.78, fault: { kind: 'partition', edge: 'results-1/postgres', ms: 8_000 } },
  { at: 0.82, fault: { kind: 'kill', target: 'results-1' } },
  { at: 0.85, fault: { kind: 'down', target: 'postgres', ms: 2_000 } },
  ...dropAll(0.95),
];

/** What the checker found in a run of one mutation. */
export interface Proof {
  readonly mutation: string;
  /** The rules that something contradicted. */
  readonly caught_by: readonly string[];
  /** The first finding, or why there was no run. */
  readonly finding: string | undefined;
}

/**
 * Runs the product as it is, and then each mutation, under the same faults. The first must be found good and every other one
 * bad, or the checker is worth nothing.
 */
export async function proveChecker(
  base: Pick<ChaosOptions, 'keepIn' | 'say'>,
  only?: string,
): Promise<Proof[]> {
  const proofs: Proof[] = [];
  const chosen = mutations.filter(({ name }) => !only || name.includes(only));
  for (const mutation of only ? chosen : [undefined, ...chosen]) {
    base.say(`\n${mutation?.name ?? 'as it is'}`);
    const proof = await prove(mutation, base).catch((error: unknown) => notRun(mutation, error));
    base.say(`${proof.caught_by.join(', ') || 'nothing'} found: ${proof.finding ?? ''}`);
    proofs.push(proof);
  }
  return proofs;
}

async function prove(
  mutation: Mutation | undefined,
  base: Pick<ChaosOptions, 'keepIn' | 'say'>,
): Promise<Proof> {
  const copy = mutation && (await mutatedCopy(mutation));
  try {
    return proofOf(mutation, await runChaos({ ...optionsOf(base), repository: copy?.path }));
  } finally {
    await copy?.remove();
  }
}

const optionsOf = (base: Pick<ChaosOptions, 'keepIn' | 'say'>): ChaosOptions => ({
  ...base,
  ...{ seed: 1, jobs: 600, chunksEach: 40, samples: 0, seconds: 0, workers: 3, ackWaitSeconds: 5 },
  ...{
    kills: 0,
    partitions: 0,
    rolling: 0,
    others: 0,
    loseStore: false,
    fullDisk: false,
    schedule: SCHEDULE,
  },
  ...{ answerMs: 1_500, restSeconds: 75 },
});

function proofOf(mutation: Mutation | undefined, { verdicts }: ChaosReport): Proof {
  const found = verdicts.filter(({ findings }) => findings.length > 0);
  return {
    mutation: mutation?.name ?? '',
    caught_by: found.map(({ name }) => name),
    finding: found[0]?.findings[0],
  };
}

const notRun = (mutation: Mutation | undefined, error: unknown): Proof => ({
  mutation: mutation?.name ?? '',
  caught_by: [],
  finding: `no run: ${String(error)}`,
});

/** True when the product was found good and every mutation bad. */
export const isProven = (proofs: readonly Proof[]) =>
  proofs.every(({ mutation, caught_by, finding }) =>
    mutation === '' ? finding === undefined : caught_by.length > 0,
  );

/** The table: which rule noticed which mutation. */
export function proofLines(proofs: readonly Proof[]): string[] {
  return proofs.map(({ mutation, caught_by, finding }) => {
    const found = caught_by.length > 0 ? caught_by.join(' ') : '-';
    return `${(mutation || '(as it is)').padEnd(34)} ${found.padEnd(14)} ${finding ?? ''}`.trimEnd();
  });
}
