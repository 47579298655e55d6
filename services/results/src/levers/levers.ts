import type { EngineCap, JobLane, LaneChange, LaneState, Lanes } from '@earshot/contracts';
import { shareCap } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { type Broker, type ConsumerLevers, readLevers } from '@earshot/messaging';
import type { Database } from '../store/database.ts';
import { askLane, readLeverRows } from '../store/sql/levers.ts';
import { LOWEST_CAP } from './decide-quota.ts';
import { engineDocument, laneDocument, lanesDocument } from './lane-documents.ts';
import { moveLevers } from './move-levers.ts';
import { type PlannedLane, planLanes } from './plan-lanes.ts';

export interface LeversDeps {
  readonly database: Database;
  readonly broker: Broker;
  /** Every lane of the installation, with the caps of the settings. */
  readonly lanes: readonly JobLane[];
}

/** What operators see and move of the lanes. What they ask for is kept first and then done; the keeper does it again. */
export class Levers {
  readonly #deps: LeversDeps;

  constructor(deps: LeversDeps) {
    this.#deps = deps;
  }

  async list(): Promise<Lanes> {
    const [plan, found] = await Promise.all([this.#plan(), this.#consumers()]);
    return lanesDocument(plan.lanes, found, plan.rows.quotas);
  }

  /** Throws `not_found` for a lane that the settings do not name. */
  async changeLane(durable: string, change: LaneChange): Promise<LaneState> {
    if (!this.#deps.lanes.some((lane) => lane.durable === durable)) {
      throw new CodedError('not_found', `there is no lane ${durable}`);
    }
    await this.#deps.database.write((tx) => askLane(tx, durable, change));
    const { lanes } = await this.#plan();
    const lane = lanes.find((one) => one.durable === durable) as PlannedLane;
    const consumer = await this.#move([lane], durable);
    // A resume is a moment under way when the broker is asked for it again.
    const moved = { ...consumer, maxAckPending: lane.cap, paused: lane.pausedUntil !== undefined };
    return laneDocument(lane, moved);
  }

  /** Shares a cap over an engine's lanes, whatever single lanes were given before. Throws `not_found`. */
  async changeEngine(engine: string, cap: number): Promise<EngineCap> {
    const own = this.#deps.lanes.filter((lane) => lane.engine === engine);
    if (own.length === 0) throw new CodedError('not_found', `there is no engine ${engine}`);
    if (cap < LOWEST_CAP) {
      throw new CodedError('invalid_request', `a cap of ${cap} leaves a lane without a place`, {
        errors: [
          `/max_ack_pending is at least ${LOWEST_CAP}, one for each lane; to stop an engine, pause its lanes`,
        ],
      });
    }
    const shares = shareCap(cap);
    await this.#deps.database.write(async (tx) => {
      for (const { durable, lane } of own) await askLane(tx, durable, { max_ack_pending: shares[lane] });
    });
    const { lanes, rows } = await this.#plan();
    const changed = lanes.filter((lane) => lane.engine === engine);
    await this.#move(changed, own[0]?.durable ?? '');
    return engineDocument(engine, changed, rows.quotas.get(engine));
  }

  async #plan() {
    const rows = await this.#deps.database.read(readLeverRows);
    return { rows, lanes: planLanes(this.#deps.lanes, rows, Date.now()) };
  }

  async #consumers(): Promise<ReadonlyMap<string, ConsumerLevers>> {
    const found = await readLevers(this.#deps.broker);
    return new Map(found.map((consumer) => [consumer.durable, consumer]));
  }

  /** Returns the consumer `durable` as it was before; throws `unavailable` when the broker has lost it. */
  async #move(plan: readonly PlannedLane[], durable: string): Promise<ConsumerLevers> {
    const found = await this.#consumers();
    const consumer = found.get(durable);
    if (!consumer) {
      throw new CodedError(
        'unavailable',
        `the broker has no consumer ${durable} now; it gets this when it has`,
      );
    }
    await moveLevers(this.#deps.broker, plan, found);
    return consumer;
  }
}
