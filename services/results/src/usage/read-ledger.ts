import { type PaidDocuments, parsePaidDocument } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { type CallObject, callAt, type ObjectInfo, type ObjectStorage, storageKeys } from '@earshot/storage';

/** What the ledger knows of the paid calls of one chunk. */
export interface LedgerCost {
  readonly plan: number;
  readonly n: number;
  readonly engine: string;
  readonly billed_ms: number;
  /** Calls that were made, or may have been, and whose end nobody wrote down. */
  readonly open_calls: number;
  /** When the newest of them ended. */
  readonly ended_at: Date;
}

/** A result is read for its price only. */
const MAX_BYTES = 256 * 1024 * 1024;

type Try = CallObject & { readonly objects: Map<string, ObjectInfo> };

/** Reads all tries of all paid calls of a transcript, chunk by chunk. */
export async function readLedger(storage: ObjectStorage, tenant: string, id: string): Promise<LedgerCost[]> {
  const costs = new Map<string, LedgerCost>();
  for (const one of await triesOf(storage, storageKeys(tenant, id).calls)) {
    const { plan, n, engine } = one;
    const chunk = `${plan}-${n}-${engine}`;
    const before = costs.get(chunk) ?? {
      plan,
      n,
      engine,
      billed_ms: 0,
      open_calls: 0,
      ended_at: new Date(0),
    };
    costs.set(chunk, await add(storage, before, one));
  }
  return [...costs.values()];
}

async function triesOf(storage: ObjectStorage, prefix: string): Promise<Try[]> {
  const tries = new Map<string, Try>();
  for await (const info of storage.list(prefix)) {
    const object = callAt(info.key);
    if (!object) continue;
    const root = info.key.slice(0, info.key.lastIndexOf('/'));
    const known = tries.get(root) ?? { ...object, objects: new Map() };
    known.objects.set(object.name, info);
    tries.set(root, known);
  }
  return [...tries.values()];
}

async function add(storage: ObjectStorage, cost: LedgerCost, { objects }: Try): Promise<LedgerCost> {
  const done = objects.get('done');
  if (done) {
    const { billed_ms = 0 } = await read(storage, done.key, 'done');
    const ended_at = done.modified_at > cost.ended_at ? done.modified_at : cost.ended_at;
    return { ...cost, billed_ms: cost.billed_ms + billed_ms, ended_at };
  }
  const answer = objects.get('answer');
  const end = answer && (await read(storage, answer.key, 'answer'));
  const isOver = end && 'refused' in end && end.refused !== 'unclear';
  return isOver ? cost : { ...cost, open_calls: cost.open_calls + 1 };
}

async function read<Name extends keyof PaidDocuments>(
  storage: ObjectStorage,
  key: string,
  name: Name,
): Promise<PaidDocuments[Name]> {
  const bytes = await storage.read(key, MAX_BYTES);
  const document = bytes && parsePaidDocument(name, bytes.toString());
  if (document) return document;
  throw new CodedError('storage_error', `${key} is not as the ledger writes it`);
}
