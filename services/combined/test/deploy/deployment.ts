import { eventually, freePort } from '@earshot/testkit';
import { expect } from 'vitest';
import { ServiceProcess } from '../faults/service-process.ts';
import { type Image, imageOf } from './image.ts';
import { type LocalServers, startLocalServers } from './local-servers.ts';
import { onThisMachine, type Workload } from './workload.ts';

/** On a loaded machine. */
const PROBES_MS = 60_000;

/** A service that answers its probes. */
export interface Started {
  readonly process: ServiceProcess;
  readonly port: number;
  readonly url: string;
}

/** Runs what a deployment says as processes of this machine, on real servers; `close` ends all of it. */
export class Deployment {
  readonly servers: LocalServers;
  readonly #repository: string;
  readonly #images = new Map<string, Promise<Image>>();
  readonly #running: ServiceProcess[] = [];

  private constructor(repository: string, servers: LocalServers) {
    this.#repository = repository;
    this.servers = servers;
  }

  /** Starts the servers; the services must have been built. */
  static async open(repository: string): Promise<Deployment> {
    return new Deployment(repository, await startLocalServers());
  }

  /** Starts a workload with its own command and settings; those of `local` go before those of this machine. */
  async start(workload: Workload, local: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
    const image = await this.#image(workload.image);
    const [program, ...args] = workload.command ?? image.command;
    expect(program, `the command of ${workload.name}`).toBe('node');
    const ofImage = Object.fromEntries(image.names.map((name) => [name, '']));
    const settings = { ...this.servers.settings, PORT: '0', ...local };
    const env = onThisMachine({ ...ofImage, ...workload.env }, settings);
    const started = new ServiceProcess(workload.name, args, env, image.workdir);
    this.#running.push(started);
    return started;
  }

  /** Starts a service and waits until its probes answer. */
  async startService(workload: Workload, local: Readonly<Record<string, string>> = {}): Promise<Started> {
    const port = await freePort();
    const process = await this.start(workload, { ...local, PORT: String(port) });
    const url = `http://127.0.0.1:${port}`;
    const probed = async () => {
      if (!process.alive()) return 'ended';
      const answers = await Promise.all(workload.probes.map((path) => fetch(url + path)));
      return answers.length > 0 && answers.every(({ ok }) => ok);
    };
    const found = await eventually(`the probes of ${workload.name} to answer`, probed, PROBES_MS);
    expect(found, process.tail()).toBe(true);
    return { process, port, url };
  }

  /** Starts all, the init step first. Services by their names. */
  async startAll(
    workloads: readonly Workload[],
    local: Readonly<Record<string, string>> = {},
  ): Promise<Map<string, Started>> {
    const services = workloads.filter(({ name }) => name !== 'init');
    for (const init of workloads.filter(({ name }) => name === 'init')) {
      const prepared = await this.start(init, local);
      expect(await prepared.ended, prepared.tail()).toEqual({ code: 0, signal: null });
    }
    const started = await Promise.all(services.map((service) => this.startService(service, local)));
    return new Map(services.map(({ name }, at) => [name, started[at] as Started]));
  }

  async close(): Promise<void> {
    await Promise.all(this.#running.splice(0).map((one) => one.kill()));
    for (const image of this.#images.values()) await (await image).remove();
    await this.servers.close();
  }

  #image(service: string): Promise<Image> {
    const image = this.#images.get(service) ?? imageOf(this.#repository, service);
    this.#images.set(service, image);
    return image;
  }
}
