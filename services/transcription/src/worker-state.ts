import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import type { WorkerState } from '@earshot/contracts';
import type { MachineUse } from '@earshot/service-kit';
import type { ActiveJobs } from './active-jobs.ts';
import type { GuardedEngine } from './circuit/guarded-engine.ts';

/** What a worker's state is read from. */
export interface WorkerParts {
  readonly id: string;
  readonly since: Date;
  readonly engines: readonly { readonly engine: GuardedEngine; readonly slots: number }[];
  readonly active: ActiveJobs;
  readonly draining: boolean;
  readonly use: MachineUse;
}

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

/** The state at this moment, for pings and the bucket `workers`. */
export function workerState(parts: WorkerParts): WorkerState {
  const jobs = parts.active.list();
  const activeOf = (name: string) =>
    jobs.filter(({ stage, engine }) => stage === 'chunk' && engine === name).length;
  const children = parts.engines.reduce((sum, { engine }) => sum + engine.memoryBytes(), 0);
  const memory = process.memoryUsage.rss() + children;
  return {
    id: parts.id,
    host: hostname(),
    pid: process.pid,
    version,
    since: parts.since.toISOString(),
    memory_bytes: memory,
    cpu_ratio: parts.use.cpuRatio(),
    memory_ratio: parts.use.memoryRatio(memory),
    draining: parts.draining,
    engines: parts.engines.map(({ engine, slots }) => ({
      name: engine.info.name,
      model: engine.info.model,
      slots,
      active: activeOf(engine.info.name),
      circuit: engine.circuit,
      quota_until: engine.quotaUntil?.toISOString() ?? null,
    })),
    active_jobs: jobs,
  };
}
