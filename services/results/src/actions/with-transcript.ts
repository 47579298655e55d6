import type { Accepted } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { Database, Transaction } from '../store/database.ts';
import {
  insertStubs,
  type LockedTranscript,
  lockTranscripts,
  storeAccepted,
} from '../store/sql/transcripts.ts';
import { checkId, noTranscript } from './check-id.ts';
import { type AcceptedSources, findAccepted } from './find-accepted.ts';

export interface ActionDeps extends AcceptedSources {
  readonly database: Database;
}

async function makeRow(tx: Transaction, accepted: Accepted): Promise<void> {
  const { transcript_id: id, tenant_id, options } = accepted;
  await insertStubs(tx, [{ id, tenant_id, session_id: options.session_id ?? null }]);
  await storeAccepted(tx, [accepted]);
}

/**
 * Runs `work` in a transaction that holds a tenant's transcript; its row is made when the recording was accepted but no
 * fact of it is stored yet. Throws `not_found` (other tenants' transcripts too) and `gone` for a deleted one.
 */
export async function withTranscript<T>(
  deps: ActionDeps,
  address: { readonly tenant: string; readonly id: string },
  work: (tx: Transaction, transcript: LockedTranscript) => Promise<T>,
): Promise<T> {
  const { tenant, id } = address;
  checkId(id);
  const attempt = (accepted?: Accepted) =>
    deps.database.write(async (tx) => {
      if (accepted) await makeRow(tx, accepted);
      const [transcript] = await lockTranscripts(tx, [id]);
      if (!transcript) return undefined;
      if (transcript.tenant_id !== tenant) throw noTranscript();
      if (transcript.status === 'deleted') throw new CodedError('gone');
      return { result: await work(tx, transcript) };
    });
  const found = await attempt();
  if (found) return found.result;
  const accepted = await findAccepted(deps, tenant, id);
  const made = accepted && (await attempt(accepted));
  if (!made) throw noTranscript();
  return made.result;
}
