import type { ObjectStorage } from '../object-storage.ts';
import { keys } from './bytes.ts';

/** Everything that a store is asked for, by name: for tests of stores that are away. Objects are named `t/…`. */
export const everyRequest = (storage: ObjectStorage): Readonly<Record<string, () => Promise<unknown>>> => ({
  ping: () => storage.ping(),
  read: () => storage.read('t/a'),
  get: () => storage.get('t/a'),
  stat: () => storage.stat('t/a'),
  localFile: () => storage.localFile('t/a'),
  put: () => storage.put('t/b', Buffer.from('2')),
  create: () => storage.create('t/b', Buffer.from('2')),
  delete: () => storage.delete('t/a'),
  list: () => keys(storage, 't/'),
});
