import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from '@earshot/testkit';

/** A running emulator of Cloud Storage, all in memory. */
export interface FakeGcs {
  readonly url: string;
  readonly port: number;
  /** Makes an empty bucket. */
  makeBucket(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts fake-gcs-server and waits until it answers. */
export async function startFakeGcs(program: string): Promise<FakeGcs> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = ['-backend', 'memory', '-scheme', 'http', '-host', '127.0.0.1', '-port', String(port)];
  const child = spawn(program, [...args, '-external-url', url, '-public-host', `127.0.0.1:${port}`], {
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  for (;;) {
    const answer = await fetch(`${url}/storage/v1/b?project=local`).catch(() => undefined);
    if (answer?.ok) break;
    if (child.exitCode !== null) throw new Error('fake-gcs-server ended at its start');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url,
    port,
    makeBucket: async (name) => {
      const answer = await fetch(`${url}/storage/v1/b?project=local`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name }),
      });
      if (!answer.ok) throw new Error(`no bucket ${name}: ${answer.status} ${await answer.text()}`);
    },
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
