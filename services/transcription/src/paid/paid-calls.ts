import { type ChunkJob, reservationOf } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { PaidCallLedger } from '@earshot/engine';
import type { Log } from '@earshot/messaging';
import { type ObjectStorage, storageKeys } from '@earshot/storage';
import type { BudgetGate } from '../budget/budget-gate.ts';
import type { TaskLimits } from '../children/task-limits.ts';
import { LedgerTry } from './ledger-try.ts';
import { noPaidCalls, type PaidCallCounts } from './paid-call-counts.ts';
import { type PaidTimes, paidTimes } from './paid-times.ts';
import { payBlind } from './pay-blind.ts';
import { payLookup } from './pay-lookup.ts';
import type { Payment } from './payment.ts';
import { Sightings } from './sightings.ts';

/** What paid calls are kept with. */
export interface PaidCallsOptions {
  readonly storage: ObjectStorage;
  /** Who works, for the ledger. */
  readonly worker: string;
  /** Default: those of `paidTimes`. */
  readonly times?: Partial<PaidTimes> | undefined;
  /** Gates of the engines that have a budget. Default: none has. */
  readonly gates?: ReadonlyMap<string, Pick<BudgetGate, 'reserve' | 'release'>> | undefined;
  readonly log: Log;
}

/** What a run of a chunk is given to a vendor for. */
export interface PaidWork {
  readonly job: ChunkJob;
  readonly engine: string;
  /** All its sound, channel by channel, in milliseconds. */
  readonly audioMs: number;
  readonly limits: TaskLimits;
  /** Told what the tries of the call have cost, in milliseconds of audio, those of other workers too. */
  readonly onBilled: (ms: number) => void;
}

/** The paid calls of this process. The ledger itself is in storage: any worker can go on where another was killed. */
export class PaidCalls {
  /** Totals since the start of the process. */
  readonly counts: PaidCallCounts = noPaidCalls();
  readonly #options: PaidCallsOptions;
  readonly #times: PaidTimes;
  readonly #sightings = new Sightings();

  constructor(options: PaidCallsOptions) {
    this.#options = options;
    this.#times = { ...paidTimes, ...options.times };
  }

  /** The ledger for one run of one chunk; it pays for one call. */
  ledgerFor(work: PaidWork): PaidCallLedger {
    const payment = this.#payment(work);
    let paying = false;
    return {
      pay: async (call) => {
        if (paying)
          throw new CodedError('internal', `${work.engine} asked for a second paid call of a chunk`);
        paying = true;
        return call.billing === 'lookup' ? payLookup(payment, call) : payBlind(payment, call);
      },
    };
  }

  #payment({ job, engine, audioMs, limits, onBilled }: PaidWork): Payment {
    const { signal, deadlineMs, onHeartbeat } = limits;
    const { storage, worker, gates, log } = this.#options;
    const gate = gates?.get(engine);
    const name = reservationOf(job);
    const ms = Math.ceil(audioMs / 1000) * 1000;
    const keys = storageKeys(job.tenant_id, job.transcript_id);
    return {
      entry: (number) => new LedgerTry(storage, keys.call(job.plan, job.n, engine, number), number),
      generation: job.generation,
      worker,
      signal,
      deadlineMs,
      audioMs,
      reserve: async () => gate?.reserve({ name, tenant: job.tenant_id, ms }),
      release: async () => gate?.release(name),
      onBilled,
      heartbeat: () => onHeartbeat?.(),
      times: this.#times,
      counts: this.counts,
      sightings: this.#sightings,
      log,
    };
  }
}
