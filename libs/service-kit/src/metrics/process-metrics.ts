import { MachineUse } from './machine-use.ts';
import type { MetricSpec, Metrics } from './metrics.ts';

const plain = (kind: 'counter' | 'gauge', name: string, help: string): MetricSpec<never> => ({
  name,
  kind,
  help,
  labels: [],
});

/** What every process tells of itself. */
export const PROCESS_METRICS = {
  cpuSeconds: plain('counter', 'process_cpu_seconds_total', 'CPU time of the process'),
  residentBytes: plain('gauge', 'process_resident_memory_bytes', 'Resident memory of the process'),
  cpuUsed: plain('gauge', 'earshot_cpu_used_ratio', 'CPU in use of the container or machine'),
  memoryUsed: plain('gauge', 'earshot_memory_used_ratio', 'Memory in use of the container or machine'),
} as const;

/** Tells CPU and memory at every scrape; `childBytes` is the resident memory of its child processes. */
export function reportProcess(metrics: Metrics, childBytes: () => number = () => 0): void {
  const use = new MachineUse();
  const { cpuSeconds, residentBytes, cpuUsed, memoryUsed } = PROCESS_METRICS;
  metrics.observe(Object.values(PROCESS_METRICS), (observe) => {
    const { user, system } = process.cpuUsage();
    const own = process.memoryUsage.rss();
    observe(cpuSeconds, (user + system) / 1e6, {});
    observe(residentBytes, own, {});
    observe(cpuUsed, use.cpuRatio(), {});
    observe(memoryUsed, use.memoryRatio(own + childBytes()), {});
  });
}
