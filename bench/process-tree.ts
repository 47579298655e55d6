import { readdir, readFile } from 'node:fs/promises';

/** Linux counts CPU time in hundredths of a second. */
const TICKS = 100;

/** Processes that `pid` started and that are alive. */
export async function childrenOf(pid: number): Promise<number[]> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '')),
  );
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}

/** CPU seconds of a process, of its children that ended, and of those that are alive. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const own = stat.split(') ')[1]?.split(' ').slice(11, 15).map(Number) ?? [];
  const children = await Promise.all((await childrenOf(pid)).map(cpuSeconds));
  return own.reduce((sum, ticks) => sum + ticks, 0) / TICKS + children.reduce((sum, one) => sum + one, 0);
}

/** Megabytes of a process and its children, pages that they share counted once (PSS): what a container is charged for. */
export async function memoryMb(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  const children = await Promise.all((await childrenOf(pid)).map(memoryMb));
  const own = Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024;
  return own + children.reduce((sum, one) => sum + one, 0);
}
