import { startTcpProxy, type TcpProxy } from '@earshot/testkit';
import { ServiceProcess } from './service-process.ts';

const FILE = 'services/transcription/dist/fake-cloud/test/fake-cloud/main.js';
/** Length of a chunk of the fake engines. */
export const CHUNK_SECONDS = 4;

/** A worker, and the line that connects it with the broker. */
export class WorkerProcess extends ServiceProcess {
  /** Stands between the worker and the broker. */
  readonly link: TcpProxy;
  /** When it asked for work: milliseconds since the epoch. */
  readonly pulls: readonly number[];

  constructor(
    name: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    line: { link: TcpProxy; pulls: readonly number[] },
  ) {
    super(name, args, env);
    this.link = line.link;
    this.pulls = line.pulls;
    void this.ended.then(() => this.link.close());
  }
}

/** Starts a worker; `vendors` are the arguments of its program. It is not ready yet. */
export async function startWorker(
  name: string,
  brokerPort: number,
  vendors: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<WorkerProcess> {
  const pulls: number[] = [];
  const link = await startTcpProxy(brokerPort, {
    onUpstream: (bytes) => {
      if (bytes.includes('$JS.API.CONSUMER.MSG.NEXT.')) pulls.push(Date.now());
    },
  });
  const settings = { ...env, NATS_URL: `nats://127.0.0.1:${link.port}` };
  return new WorkerProcess(name, [FILE, ...vendors], settings, { link, pulls });
}
