import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '@earshot/domain';
import { TEMP_FOLDER } from './locate.ts';

/**
 * Throws `unavailable` when the store is not where it was opened. A volume that is gone leaves an empty folder, in which
 * every object looks missing: only the folder of unfinished writes, made when the store is opened, tells them apart.
 */
export async function requireStore(root: string): Promise<void> {
  const known = await stat(join(root, TEMP_FOLDER)).catch(() => undefined);
  if (!known?.isDirectory()) throw storeGone();
}

/** The store itself is not there; nothing may be concluded about its objects. */
export const storeGone = (cause?: unknown) =>
  new CodedError('unavailable', 'the store is not there; is its volume mounted?', { cause });
