import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Root may mount; others may in a user namespace, where the system has one for them. */
const USERS = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user', '--map-auto'];

/**
 * A mount namespace of Linux with a file system in memory of its own: what is mounted and written there is seen by nobody
 * else and is gone when this process ends, however it ends.
 */
export class MountNamespace {
  /** The file system's root; empty for who is outside. */
  readonly folder: string;
  readonly #holder: ChildProcess;

  private constructor(folder: string, holder: ChildProcess) {
    this.folder = folder;
    this.#holder = holder;
  }

  static async open(): Promise<MountNamespace> {
    const folder = await mkdtemp(join(tmpdir(), 'earshot-image-'));
    const script = 'mount -t tmpfs -o mode=755 earshot-image "$1" && echo ready && exec cat >/dev/null';
    const args = [...USERS, '--mount', '--propagation=private', 'sh', '-c', script, 'sh', folder];
    const holder = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let heard = '';
    holder.stderr.on('data', (text) => {
      heard += text;
    });
    const ready = once(holder.stdout, 'data').then(() => true);
    if (await Promise.race([ready, once(holder, 'close').then(() => false)]))
      return new MountNamespace(folder, holder);
    await rm(folder, { recursive: true, force: true });
    throw new Error(`no file systems may be mounted here; run this as root on Linux (${heard.trim()})`);
  }

  /** A command line that runs inside. */
  inside(...command: readonly string[]): [string, ...string[]] {
    const users = USERS.length > 0 ? ['--user', '--preserve-credentials'] : [];
    return ['nsenter', `--target=${this.#holder.pid}`, '--mount', ...users, ...command];
  }

  /** Runs a script of the shell inside, to its end; returns what it printed. Rejects with the last it printed. */
  async sh(script: string, ...args: readonly string[]): Promise<string> {
    const [program, ...rest] = this.inside('sh', '-euc', script, 'sh', ...args);
    const ended = run(program, rest, { maxBuffer: 64 * 1024 * 1024 });
    const { stdout } = await ended.catch((error: { stdout: string; stderr: string }) => {
      const said = `${error.stdout}\n${error.stderr}`.slice(-4000);
      throw new Error(`${args.at(-1) ?? script}\nended with an error:\n${said}`);
    });
    return stdout;
  }

  async close(): Promise<void> {
    const ended = once(this.#holder, 'close');
    this.#holder.stdin?.end();
    await ended;
    await rm(this.folder, { recursive: true, force: true });
  }
}
