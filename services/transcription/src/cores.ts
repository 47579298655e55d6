import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Cores this process may use: those of the machine, or the container's CPU limit when that is lower; at least 1. */
export function usableCores(cpuMax: string = readCpuMax()): number {
  const [quota, period] = cpuMax.split(' ').map(Number);
  const limit = quota && period ? Math.ceil(quota / period) : Number.POSITIVE_INFINITY;
  return Math.max(1, Math.min(availableParallelism(), limit));
}

/** `max 100000` without a limit, `200000 100000` for two cores; empty where there are no cgroups v2. */
function readCpuMax(): string {
  try {
    return readFileSync('/sys/fs/cgroup/cpu.max', 'utf8').trim();
  } catch {
    return '';
  }
}
