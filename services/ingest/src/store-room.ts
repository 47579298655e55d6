import { STREAMS } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { BudgetUsage } from '@earshot/messaging';

/** Above this part of any budget nothing new is taken, so that a full store drains by itself. */
const FULL = 0.8;

/** Whether the broker's store has room for new work. */
export interface StoreRoom {
  /** Throws `storage_full` when any budget is nearly used up. */
  requireForUpload(): Promise<void>;
  /** False while upload events must wait. Their own stream does not count: only taking them drains it. */
  hasForAccepting(): Promise<boolean>;
}

/** `budgets` rejects when they cannot be known now; so do the answers. */
export function storeRoom(budgets: () => Promise<readonly BudgetUsage[]>): StoreRoom {
  const full = async (except?: string) =>
    (await budgets()).find(({ name, bytes, limit }) => name !== except && bytes >= FULL * limit);
  return {
    requireForUpload: async () => {
      const budget = await full();
      if (!budget) return;
      throw new CodedError('storage_full', `the queue is full (${budget.name}); work in progress makes room`);
    },
    hasForAccepting: async () => !(await full(STREAMS.uploads)),
  };
}
