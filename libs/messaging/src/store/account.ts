import type { Broker } from '../connection/broker.ts';

/** What the account holds on disk, in bytes; `limit` is undefined where the server sets none for the account. */
export interface AccountStore {
  readonly bytes: number;
  readonly limit: number | undefined;
}

/** Asks the broker each time. */
export async function accountStore(broker: Broker): Promise<AccountStore> {
  const info = await broker.api.call<{ storage: number; limits: { max_storage: number } }>('INFO');
  const limit = info.limits.max_storage;
  return { bytes: info.storage, limit: limit > 0 ? limit : undefined };
}

/** The account's `max_file` in bytes; undefined when it has none: then EARSHOT_NATS_STORE_BYTES must be set. */
export async function accountStoreBytes(broker: Broker): Promise<number | undefined> {
  return (await accountStore(broker)).limit;
}
