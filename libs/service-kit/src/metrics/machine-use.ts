import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';

/** CPU seconds used so far, and how many can be used in a second. */
interface CpuReading {
  readonly used: number;
  readonly cores: number;
}

const SAMPLE_MS = 1_000;

/** How busy the container is, or the machine where no container bounds it. */
export class MachineUse {
  #last = { at: performance.now(), ...readCpu() };
  #ratio = 0;

  /** Share of the CPU in use, 0 to 1, over the time since the question before; 0 at first. */
  cpuRatio(): number {
    const at = performance.now();
    const seconds = (at - this.#last.at) / 1000;
    if (seconds * 1000 < SAMPLE_MS) return this.#ratio;
    const now = readCpu();
    this.#ratio = Math.min(1, Math.max(0, (now.used - this.#last.used) / (seconds * now.cores)));
    this.#last = { at, ...now };
    return this.#ratio;
  }

  /** Share of the memory in use, 0 to 1: of the container's limit by `ownBytes`, else of the machine by all. */
  memoryRatio(ownBytes: number): number {
    const limit = process.constrainedMemory() ?? 0;
    if (limit > 0 && limit < totalmem()) return Math.min(1, ownBytes / limit);
    return 1 - freemem() / totalmem();
  }
}

function readCpu(): CpuReading {
  const [quota, period] = read('/sys/fs/cgroup/cpu.max').split(' ').map(Number);
  const usage = /^usage_usec (\d+)$/m.exec(read('/sys/fs/cgroup/cpu.stat'))?.[1];
  if (quota && period && usage) return { used: Number(usage) / 1e6, cores: quota / period };
  const times = cpus().map((core) => core.times);
  const used = times.reduce((sum, { user, nice, sys, irq }) => sum + user + nice + sys + irq, 0);
  return { used: used / 1000, cores: times.length || availableParallelism() };
}

/** Empty where there are no cgroups v2. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
