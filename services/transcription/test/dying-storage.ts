import type { ObjectStorage } from '@earshot/storage';

/** A place in the ledger at which a process is killed. */
export interface DeathPoint {
  readonly when: 'before' | 'after';
  readonly object: 'intent' | 'answer' | 'done';
}

/** A store as a process sees it that is killed, or stopped, at a point of the ledger. */
export interface DyingStorage {
  readonly storage: ObjectStorage;
  /** Resolves when the process is at its point; whatever it awaits there never comes. */
  readonly died: Promise<void>;
  /** Lets it go on, as SIGCONT does with a stopped process. */
  revive(): void;
}

/** The first creation of the object stops there; later ones pass. */
export function dyingAt(storage: ObjectStorage, { when, object }: DeathPoint): DyingStorage {
  let die = () => {};
  let revive = () => {};
  const died = new Promise<void>((resolve) => {
    die = resolve;
  });
  const revived = new Promise<void>((resolve) => {
    revive = resolve;
  });
  const reach = async (point: DeathPoint['when'], key: string) => {
    if (point !== when || !key.endsWith(`/${object}`)) return;
    die();
    await revived;
  };
  const create: ObjectStorage['create'] = async (key, body) => {
    await reach('before', key);
    const created = await storage.create(key, body);
    await reach('after', key);
    return created;
  };
  const dying = new Proxy(storage, {
    get: (target, name) => {
      const member = Reflect.get(target, name);
      if (name === 'create') return create;
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  return { storage: dying, died, revive };
}
