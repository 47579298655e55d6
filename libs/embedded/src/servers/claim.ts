import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ServiceRunningError } from '../errors.ts';
import { withLock } from '../lock.ts';
import { isAlive, ownIdentity, type ProcessIdentity } from '../processes.ts';
import { makeFolder, readState, writeState } from './state-file.ts';

/** Which service of which home; the name is a plain file name. */
export interface ServiceName {
  readonly home: string;
  readonly name: string;
}

/** The right to be the only process that runs a service on a home. */
export interface ServiceClaim {
  /** Says where the service answers, once that is known. */
  announce(url: string): Promise<void>;
  /** Gives the right back; idempotent. A process that dies gives it back without this. */
  release(): Promise<void>;
}

interface Claim extends ProcessIdentity {
  readonly url?: string;
}

/** Claims a service for this process; throws ServiceRunningError (pid, url) when another living process has it. */
export async function claimService(service: ServiceName & { readonly url?: string }): Promise<ServiceClaim> {
  const path = pathOf(service);
  const own: Claim = { ...ownIdentity(), ...(service.url === undefined ? {} : { url: service.url }) };
  const locked = <T>(work: () => Promise<T>) =>
    withLock(join(resolve(service.home), 'locks', 'services'), work);
  await makeFolder(join(path, '..'));
  await locked(async () => {
    const other = await runningService(service);
    if (other !== undefined) throw new ServiceRunningError(service.name, other.pid, other.url);
    await writeState(path, own);
  });
  return {
    announce: (url) => writeState(path, { ...own, url }),
    release: () =>
      locked(async () => {
        const now = await readState<Claim>(path);
        if (now?.pid === own.pid && now.start === own.start) await rm(path, { force: true });
      }),
  };
}

/** The living process that claimed the service and where it answers; undefined when there is none. */
export async function runningService(
  service: ServiceName,
): Promise<{ pid: number; url?: string } | undefined> {
  const claim = await readState<Claim>(pathOf(service));
  if (claim === undefined || !isAlive(claim)) return undefined;
  return { pid: claim.pid, ...(claim.url === undefined ? {} : { url: claim.url }) };
}

function pathOf({ home, name }: ServiceName): string {
  return join(resolve(home), 'services', `${name}.json`);
}
