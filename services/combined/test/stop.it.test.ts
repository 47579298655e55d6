import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, tempFolder } from '@earshot/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type EarshotProcess, FROM_SOURCE, runCommand } from './earshot-process.ts';

let home: string;
let folder: Awaited<ReturnType<typeof tempFolder>>;
const started: EarshotProcess[] = [];
beforeEach(async () => {
  folder = await tempFolder();
  home = join(folder.path, 'home');
  await mkdir(home);
});
afterEach(async () => {
  for (const { child } of started.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
  await folder.remove();
});

/** Combined with servers of its own, started by `command`, ready. */
async function start(command: readonly string[], settings: Record<string, string> = {}) {
  const env = { EARSHOT_HOME: home, PORT: '0', WORKER_CONCURRENCY: '1', ...settings };
  const earshot = runCommand(command, env);
  started.push(earshot);
  const [, url = ''] = await earshot.printed(/Earshot is ready: (\S+)/);
  await earshot.printed(/worker ready/);
  return { ...earshot, url, pid: earshot.child.pid ?? 0 };
}

/** Whether any process of its group lives, or any that was started with a path in its home. */
function leftRunning(group: number): boolean {
  const args = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
  if (args.includes(home)) return true;
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
}

async function expectNothingLeft(group: number): Promise<void> {
  await eventually('every process to be gone', () => !leftRunning(group));
  expect(await readdir(home)).not.toContain('servers.json');
}

it('`npm start` passes SIGTERM on, answers while it drains, exits 0 and leaves nothing running', async () => {
  const earshot = await start(['npm', 'start'], { EARSHOT_DRAIN_SECONDS: '4' });
  const status = async (path: string) => (await fetch(new URL(path, earshot.url))).status;
  expect(await status('/readyz')).toBe(200);
  earshot.child.kill('SIGTERM');
  await eventually('/readyz to say 503', async () => (await status('/readyz')) === 503);
  expect(await status('/v1/transcripts')).toBe(200);
  expect(await earshot.exit).toBe(0);
  await expect(status('/readyz')).rejects.toThrow();
  await expectNothingLeft(earshot.pid);
});

it('Ctrl-C, which reaches every process of the group, is one stop and not two', async () => {
  const earshot = await start(['npm', 'start']);
  expect(await earshot.interrupt()).toBe(0);
  expect(earshot.stdout()).not.toContain('engine child died');
  await expectNothingLeft(earshot.pid);
});

const asFirst = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];

/** Where the system has no PID namespaces for us, the process is just one of many. */
const mayBeFirst = (() => {
  try {
    const [program = '', ...flags] = asFirst;
    execFileSync(program, [...flags, 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

it('as PID 1, as in a container, SIGTERM is heard and ends all', async () => {
  const program = [process.execPath, ...FROM_SOURCE, 'services/combined/src/main.ts'];
  const earshot = await start([...(mayBeFirst ? asFirst : []), ...program]);
  const { pid } = earshot;
  const main = mayBeFirst ? Number(await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')) : pid;
  process.kill(main, 'SIGTERM');
  expect(await earshot.exit).toBe(0);
  await expectNothingLeft(pid);
});
