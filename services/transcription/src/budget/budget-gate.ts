import { setTimeout as pause } from 'node:timers/promises';
import { ALL_TENANTS, type Budget, type Spend } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { type Broker, type KeptSpend, type Log, readSpend, writeSpend } from '@earshot/messaging';
import { CallPostponed } from './call-postponed.ts';
import { type WantedCall, whoseLimit, withCall, withoutCall, withRefusal } from './reserve.ts';

/** What a gate is made with. */
export interface BudgetGateOptions {
  readonly broker: Broker;
  readonly engine: string;
  readonly budget: Budget;
  readonly log: Log;
}

/** An entry that was read so long ago is read again before anybody goes by it. */
const FRESH_MS = 2_000;
/** When work comes back that the budget kept from being done: it may have been raised meanwhile. */
const RECHECK_MS = 5 * 60_000;
/** The same while nobody knows what is left: results makes the entry within seconds. */
const UNKNOWN_MS = 2_000;
/** Calls that results has not seen the end of; a longer entry would not fit into a message. */
const MOST_RESERVED = 5_000;
const TRIES = 50;

type Known = KeptSpend & { readonly readAt: number };

/** Lets a worker's paid calls through as long as they fit into the budget of the day, over all workers together. */
export class BudgetGate {
  readonly #options: BudgetGateOptions;
  #known: Known | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  /** Why nobody knows what is left, as it was told last. */
  #trouble: string | undefined;

  constructor(options: BudgetGateOptions) {
    this.#options = options;
  }

  /**
   * Reserves what a call may cost, once for each name; throws `CallPostponed` when it may not be made now, and `over_budget`
   * when no day is enough for it.
   */
  async reserve(call: WantedCall): Promise<void> {
    checkSize(call, this.#options.budget);
    await this.#inTurn(() => this.#reserve(call));
  }

  /** Gives back what was reserved for a call that was not made. Never rejects: results gives it back in the end. */
  async release(name: string): Promise<void> {
    await this.#inTurn(() => this.#change((spend) => withoutCall(spend, name))).catch((error: unknown) => {
      this.#options.log.debug({ call: name, detail: String(error) }, 'a reservation was not given back');
    });
  }

  /** One at a time: the calls of a process need not compete with each other for the entry. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #reserve(call: WantedCall): Promise<void> {
    const { budget } = this.#options;
    let limit: ReturnType<typeof whoseLimit>;
    const spend = await this.#change((before) => {
      limit = undefined;
      if (before.reserved[call.name]) return before;
      limit = whoseLimit(before, budget, call);
      return limit
        ? withRefusal(before, limit === 'all' ? ALL_TENANTS : call.tenant)
        : withCall(before, call);
    });
    if (limit) throw this.#overBudget(spend, call, limit === 'all');
  }

  /** Writes what `change` makes of the entry, unless that is the same; gives what is written. */
  async #change(change: (spend: Spend) => Spend): Promise<Spend> {
    const { broker, engine } = this.#options;
    for (let tried = 0; tried < TRIES; tried += 1) {
      const { spend, revision } = await this.#read(tried > 0);
      if (!spend)
        throw this.#unknown('there is no entry of it in the bucket spend: does results have the budget too?');
      this.#trouble = undefined;
      const next = change(spend);
      if (next === spend) return spend;
      if (Object.keys(next.reserved).length > MOST_RESERVED)
        throw this.#unknown(`results has not seen the end of ${MOST_RESERVED} calls`);
      const written = await this.#asking(() => writeSpend(broker, engine, next, revision));
      if (written !== undefined) {
        this.#known = { spend: next, revision: written, readAt: performance.now() };
        return next;
      }
      await pause(Math.random() * Math.min(10 * (tried + 1), 100));
    }
    throw this.#unknown(`${TRIES} others were faster`);
  }

  async #read(afresh: boolean): Promise<KeptSpend> {
    const { broker, engine } = this.#options;
    const known = this.#known;
    if (known?.spend && !afresh && performance.now() - known.readAt < FRESH_MS) return known;
    const readAt = performance.now();
    this.#known = undefined;
    const kept = await this.#asking(() => readSpend(broker, engine));
    this.#known = { ...kept, readAt };
    return kept;
  }

  /** A broker that is away says nothing about the engine. */
  async #asking<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      this.#known = undefined;
      throw this.#unknown(String(error));
    }
  }

  #unknown(detail: string): CallPostponed {
    const { engine, log } = this.#options;
    if (detail !== this.#trouble) log.warn({ engine, detail }, 'nobody knows what is left of the budget');
    this.#trouble = detail;
    return new CallPostponed(`what is left of the budget of ${engine} is not known`, UNKNOWN_MS, false);
  }

  #overBudget({ resets_at }: Spend, { tenant }: WantedCall, forAll: boolean): CallPostponed {
    const left = Math.max(UNKNOWN_MS, Date.parse(resets_at) - Date.now());
    const whose = forAll ? 'all tenants' : tenant;
    const reason = `the budget of ${whose} for ${this.#options.engine} is used up until ${resets_at}`;
    return new CallPostponed(reason, Math.min(left, RECHECK_MS), forAll);
  }
}

/** Midnight would not help a call that is longer than a whole day's budget; one of 0 is a stop, and ends. */
function checkSize({ tenant, ms }: WantedCall, { total, tenants }: Budget): void {
  const most = Math.min(total ?? Number.POSITIVE_INFINITY, tenants.get(tenant) ?? Number.POSITIVE_INFINITY);
  if (most === 0 || ms <= most) return;
  const [call, day] = [ms, most].map((length) => (length / 60_000).toFixed(1));
  throw new CodedError('over_budget', `the call costs ${call} minutes, and a day may cost ${day}`);
}
