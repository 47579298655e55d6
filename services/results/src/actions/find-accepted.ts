import { type Accepted, accepted, factSubjects } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { acceptedData, readManifest } from '@earshot/intake';
import type { FactReader } from '@earshot/jobs';
import type { ObjectStorage } from '@earshot/storage';

/** Where a recording is known before its first fact reaches the database. */
export interface AcceptedSources {
  readonly storage: ObjectStorage;
  readonly facts: FactReader;
}

/** What was accepted, by the manifest, else by the fact; throws `gone` for a deleted transcript. */
export async function findAccepted(
  { storage, facts }: AcceptedSources,
  tenant: string,
  id: string,
): Promise<Accepted | undefined> {
  const manifest = await readManifest(storage, tenant, id);
  if (manifest?.kind === 'deleted') throw new CodedError('gone');
  if (manifest) return acceptedData(manifest);
  const fact = await facts.last(factSubjects(tenant, id).accepted);
  return fact && accepted.read(fact.event);
}
