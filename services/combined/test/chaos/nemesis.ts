import { setTimeout as pause } from 'node:timers/promises';
import type { Toxic } from '@earshot/testkit';
import type { Fault as VendorFault } from '../../../transcription/test/fake-cloud/behaviour.ts';
import type { ChaosWorld } from './chaos-world.ts';
import type { Disturbance } from './history.ts';
import { type FactsRead, readFacts } from './read-facts.ts';
import { repeatResults } from './repeat-results.ts';
import { describeStep, type Edge, type Fault, type Service, type Step, type Victim } from './schedule.ts';
import { jobsIn } from './worker-log.ts';

/** A worker that was asked to stop, with the jobs it had in work then. */
export interface Stopped {
  readonly worker: string;
  readonly jobs: readonly string[];
}

export interface NemesisOptions {
  readonly world: ChaosWorld;
  readonly schedule: readonly Step[];
  /** The share of the work that is done, 0 to 1. */
  readonly progress: () => number;
  readonly say: (line: string) => void;
}

/** At most so many faults at once: with more, nothing would go on. */
const AT_ONCE = 3;
const LOOK_EVERY_MS = 50;
const STOP_MS = 40_000;
/** How much is on its way when a connection is dropped. */
const DROPPED_MS = 250;
/**
 * So many times as long before it is: a fact goes there and its answer comes back, so that the acknowledgement after it is on
 * its way. With less, hardly any acknowledgement is ever dropped.
 */
const DROPPED_AFTER = 3;

const isServer = (victim: string): victim is 'nats' | 'postgres' =>
  victim === 'nats' || victim === 'postgres';

/** What a fault breaks, in one word. */
function thingOf(fault: Fault): string {
  if ('target' in fault) return fault.target;
  return 'edge' in fault ? fault.edge : fault.kind;
}

/** Breaks things as a schedule says, and makes each good again after its time. */
export class Nemesis {
  readonly stopped: Stopped[] = [];
  readonly disturbances: Disturbance[] = [];
  /** What was read of every store before it was lost. */
  readonly lost: FactsRead[] = [];
  readonly #options: NemesisOptions;
  /** What is broken now: nothing is broken twice at once. */
  readonly #busy = new Map<string, Promise<void>>();
  #aborted = false;

  constructor(options: NemesisOptions) {
    this.#options = options;
  }

  /** Resolves when the last fault has been made good. */
  async run(): Promise<void> {
    for (const step of this.#options.schedule) {
      while (this.#options.progress() < step.at && !this.#aborted) await pause(LOOK_EVERY_MS);
      if (this.#aborted) break;
      await this.#begin(step);
    }
    await Promise.all(this.#busy.values());
    await this.#healAll();
  }

  /** Connections to the broker that were cut, are cut, or were within the last `ms`; what was sent into them is out. */
  cuts(ms: number): number {
    const links = [...this.#options.world.services.keys()].map((name) => `${name}/nats`);
    const recent = this.disturbances.filter(({ to }) => to > Date.now() - ms).map(({ thing }) => thing);
    const cut = [...recent, ...this.#busy.keys()].map((thing) =>
      thing === 'nats' ? links.length : Number(links.includes(thing)),
    );
    return cut.reduce((sum, count) => sum + count, 0);
  }

  /** Whether the broker itself is stopped, paused or being emptied now. */
  breaksBroker(): boolean {
    return this.#busy.has('nats') || this.#busy.has('lose_store');
  }

  /** No more faults. */
  abort(): void {
    this.#aborted = true;
  }

  async #begin(step: Step): Promise<void> {
    const { fault } = step;
    const thing = thingOf(fault);
    const alone = fault.kind === 'lose_store';
    while (this.#busy.size >= (alone ? 1 : AT_ONCE) || this.#busy.has(thing)) {
      await Promise.race(this.#busy.values());
    }
    this.#options.say(describeStep(step));
    const from = Date.now();
    const done = this.#break(fault)
      .catch((error: unknown) => this.#options.say(`         ${fault.kind} failed: ${String(error)}`))
      .finally(() => {
        this.#busy.delete(thing);
        this.#note(fault, thing, from);
      });
    this.#busy.set(thing, done);
    if (alone) await done;
  }

  #break(fault: Fault): Promise<void> {
    switch (fault.kind) {
      case 'kill':
        return this.#kill(fault.target);
      case 'stop':
        return this.#stop(fault.target);
      case 'pause':
        return this.#pause(fault.target, fault.ms);
      case 'partition':
        return this.#poison(fault.edge, { type: 'timeout' }, fault.ms);
      case 'slow':
        return this.#poison(fault.edge, { type: 'latency', latency: 100 }, fault.ms);
      case 'reset':
        return this.#poison(fault.edge, { type: 'reset_peer' }, 0);
      case 'drop':
        return this.#drop(fault.edge);
      case 'down':
        return this.#down(fault.target, fault.ms);
      case 'rolling_restart':
        return this.#rollingRestart();
      case 'lose_store':
        return this.#loseStore();
      case 'full_disk':
        return this.#fillDisk(fault.ms);
      case 'lose_replies':
        return this.#misbehave(['lose_reply'], fault.calls);
      case 'refuse_calls':
        return this.#misbehave(['error', 'quota'], fault.calls);
      case 'late_results':
        return repeatResults(this.#options.world.broker.url, fault.chunks);
    }
  }

  async #kill(target: Victim): Promise<void> {
    const { broker, database } = this.#options.world;
    if (!isServer(target)) return this.#processOf(target).kill();
    const server = target === 'nats' ? broker : database;
    await server.kill();
    await server.start();
  }

  async #stop(target: Service): Promise<void> {
    const stopping = this.#processOf(target);
    if (!stopping.alive()) return;
    if (target.startsWith('worker')) this.stopped.push({ worker: stopping.name, jobs: jobsIn(stopping) });
    stopping.signal('SIGTERM');
    await Promise.race([stopping.ended, pause(STOP_MS, undefined, { ref: false })]);
  }

  async #pause(target: Victim, ms: number): Promise<void> {
    const { broker, database } = this.#options.world;
    if (isServer(target)) {
      const server = target === 'nats' ? broker : database;
      server.pause();
      await pause(ms);
      return server.resume();
    }
    const victim = this.#processOf(target);
    victim.signal('SIGSTOP');
    await pause(ms);
    victim.signal('SIGCONT');
  }

  async #poison(edge: Edge, toxic: Toxic, ms: number, last?: Toxic): Promise<void> {
    const proxy = this.#options.world.edges.get(edge);
    proxy?.poison(toxic);
    await pause(ms);
    if (last) proxy?.poison(last);
    proxy?.poison();
  }

  /** A connection ends and takes along what was on its way in either direction. */
  async #drop(edge: Edge): Promise<void> {
    const ms = DROPPED_AFTER * DROPPED_MS;
    await this.#poison(edge, { type: 'latency', latency: DROPPED_MS }, ms, { type: 'reset_peer' });
  }

  async #down(target: 'nats' | 'postgres', ms: number): Promise<void> {
    const { broker, database } = this.#options.world;
    if (target === 'nats') await broker.kill();
    else await database.stop();
    await pause(ms);
    await (target === 'nats' ? broker : database).start();
  }

  async #rollingRestart(): Promise<void> {
    for (const [name, service] of this.#options.world.services) {
      const before = service.runs.length;
      await this.#stop(name);
      while (service.runs.length === before && !this.#aborted) await pause(LOOK_EVERY_MS);
      await service.current
        .logged('that it is ready', ({ msg }) => msg?.endsWith(' ready'), STOP_MS)
        .catch(() => undefined);
    }
  }

  /** Everything in the broker is gone. What it knew of facts is read first, with nobody able to add to it. */
  async #loseStore(): Promise<void> {
    const { broker, edges } = this.#options.world;
    const toBroker = [...edges].filter(([edge]) => edge.endsWith('/nats')).map(([, proxy]) => proxy);
    for (const proxy of toBroker) proxy.poison({ type: 'timeout' });
    this.lost.push(await readFacts(broker.url));
    await broker.loseStore();
    await broker.start();
    for (const proxy of toBroker) {
      proxy.poison({ type: 'reset_peer' });
      proxy.poison();
    }
  }

  async #fillDisk(ms: number): Promise<void> {
    const { disk } = this.#options.world;
    if (!disk) throw new Error('recordings lie on no disk that could be filled');
    await disk.fill();
    await pause(ms);
    await disk.free();
  }

  async #misbehave(kinds: readonly VendorFault[], calls: number): Promise<void> {
    const faults = Array.from({ length: calls }, (_, n) => kinds[n % kinds.length] as VendorFault);
    await this.#options.world.cloud.behave({ faults });
  }

  /** What stops every worker disturbs each of them, and so does what cuts each of them off. */
  #note(fault: Fault, thing: string, from: number): void {
    const everybody = fault.kind === 'rolling_restart' || fault.kind === 'lose_store';
    const store = fault.kind === 'lose_store' ? ['store'] : [];
    const things = everybody ? [...this.#options.world.services.keys(), ...store] : [thing];
    for (const one of things) this.disturbances.push({ thing: one, from, to: Date.now() });
  }

  async #healAll(): Promise<void> {
    const { broker, database, edges, services, cloud, disk } = this.#options.world;
    for (const proxy of edges.values()) proxy.poison();
    for (const { current } of services.values()) current.signal('SIGCONT');
    broker.resume();
    database.resume();
    await disk?.free();
    await cloud.behave({ faults: [] });
  }

  #processOf(target: Service) {
    const service = this.#options.world.services.get(target);
    if (!service) throw new Error(`there is no ${target}`);
    return service.current;
  }
}
