import { afterEach, beforeEach, describe } from 'vitest';
import type { ObjectStorage } from '../object-storage.ts';
import { addresses, type StorageTraits } from './addresses.ts';
import { bigObjects } from './big-objects.ts';
import { forbiddenKeys } from './forbidden-keys.ts';
import { listing } from './listing.ts';
import { objects } from './objects.ts';
import { races } from './races.ts';

export { everyRequest } from './every-request.ts';

/** A store under test; `cleanup` closes it and removes what it holds. */
export interface OpenedStorage {
  readonly storage: ObjectStorage;
  cleanup(): Promise<void>;
}

/**
 * The vitest suite every adapter of the storage port passes; `open` gives a new, empty store for each test, `traits` say which
 * of the functions that a store may lack it has.
 */
export function storageConformance(
  name: string,
  open: () => Promise<OpenedStorage>,
  traits: StorageTraits,
): void {
  describe(`object storage: ${name}`, () => {
    let opened: OpenedStorage;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.cleanup());
    const storage = () => opened.storage;
    objects(storage);
    listing(storage);
    forbiddenKeys(storage);
    races(storage);
    bigObjects(storage);
    addresses(storage, traits);
  });
}
