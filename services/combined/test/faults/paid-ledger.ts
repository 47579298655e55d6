import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parsePaidDocument } from '@earshot/contracts';
import { openFileStorage } from '@earshot/storage-file';

/** What the ledger in storage says of all calls. */
export interface LedgerCount {
  readonly tries: number;
  /** Nobody knows whether their call was made, or how it ended. */
  readonly unclear: number;
  /** Tries that ended without a call that cost anything. */
  readonly refused: number;
  readonly billedMs: number;
}

const TRY = /^(.+\/calls\/[^/]+)\/intent$/;

/** Reads every try below a folder of recordings. */
export async function readLedger(folder: string): Promise<LedgerCount> {
  const storage = await openFileStorage({ root: folder });
  const count = { tries: 0, unclear: 0, refused: 0, billedMs: 0 };
  const read = async (key: string, name: 'answer' | 'done') => {
    const json = await readFile(join(folder, key, name), 'utf8').catch(() => undefined);
    return json === undefined ? undefined : parsePaidDocument(name, json);
  };
  for await (const { key } of storage.list('')) {
    const root = TRY.exec(key)?.[1];
    if (!root) continue;
    count.tries += 1;
    const answer = await read(root, 'answer');
    const done = await read(root, 'done');
    if (answer && 'refused' in answer) count.refused += 1;
    else if (!done) count.unclear += 1;
    count.billedMs += (done && 'billed_ms' in done && done.billed_ms) || 0;
  }
  await storage.close();
  return count;
}
