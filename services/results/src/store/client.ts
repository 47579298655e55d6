import pg from 'pg';
import { addressReader, type DatabaseAddress } from './address.ts';

/** A kind of client that reads the address and its certificates at each connect, so that they can be rotated. */
export function clientAt(address: DatabaseAddress): new (config?: pg.ClientConfig) => pg.Client {
  const current = addressReader(address);
  return class extends pg.Client {
    constructor(config: pg.ClientConfig = {}) {
      super({ ...config, ...current() });
    }
  };
}
