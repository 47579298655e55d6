import type { Stage } from '@earshot/contracts';

/** What the subject of a job tells without its data; a split's plan is not in it and is given as 1. */
export interface JobPlace {
  readonly stage: Extract<Stage, 'split' | 'chunk'>;
  readonly tenant: string;
  readonly id: string;
  readonly plan: number;
  readonly n: number;
}

/** Reads `jobs.split.<lane>.<tenant>.<id>` and `jobs.chunk.<engine>.<lane>.<tenant>.<id>.<plan>.<n>`. */
export function parseJobSubject(subject: string): JobPlace | undefined {
  const [root, stage, ...words] = subject.split('.');
  if (root !== 'jobs') return undefined;
  if (stage === 'split' && words.length === 3) {
    const [, tenant = '', id = ''] = words;
    return { stage, tenant, id, plan: 1, n: 0 };
  }
  if (stage !== 'chunk' || words.length !== 6) return undefined;
  const [, , tenant = '', id = '', plan, n] = words;
  const place = { stage, tenant, id, plan: Number(plan), n: Number(n) } as const;
  return Number.isInteger(place.plan) && Number.isInteger(place.n) ? place : undefined;
}
