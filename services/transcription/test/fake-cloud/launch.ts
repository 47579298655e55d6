import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { tempFolder } from '@earshot/testkit';
import type { Behaviour, LogLine, Stats } from './behaviour.ts';

/** A vendor in a process of its own; it ends with this process. */
export interface FakeCloudProcess {
  /** Address of its API, for the engines. */
  readonly url: string;
  /** Changes how it behaves from now on; what is left out stays. */
  behave(change: Partial<Behaviour>): Promise<void>;
  stats(): Promise<Stats>;
  /** Its own book: every call, search, poll and cancel it ever got, oldest first. */
  log(): Promise<LogLine[]>;
  /** The lines of its book that cost money. */
  bill(): Promise<LogLine[]>;
  dispose(): Promise<void>;
}

/** Starts a vendor that answers everything at once, until it is told otherwise. */
export async function startFakeCloud(): Promise<FakeCloudProcess> {
  const folder = await tempFolder();
  const logFile = join(folder.path, 'calls.jsonl');
  const child = fork(fileURLToPath(new URL('server.ts', import.meta.url)), [logFile], {
    execArgv: ['--import', 'tsx', '--conditions=@earshot/source'],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const [first] = (await once(createInterface(child.stdout as NodeJS.ReadableStream), 'line')) as [string];
  const { url, control_url } = JSON.parse(first) as { url: string; control_url: string };
  const log = async () => {
    const text = await readFile(logFile, 'utf8').catch(() => '');
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as LogLine);
  };
  return {
    url,
    behave: async (change) => {
      await fetch(control_url, { method: 'PUT', body: JSON.stringify(change) });
    },
    stats: async () => (await fetch(control_url)).json() as Promise<Stats>,
    log,
    bill: async () => (await log()).filter(({ billed }) => billed),
    dispose: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      await folder.remove();
    },
  };
}
