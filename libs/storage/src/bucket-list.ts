import { type BucketAddress, isBucketName } from './bucket-address.ts';
import { checkKey } from './check-key.ts';

/** From which buckets each tenant's recordings may be read. */
export interface BucketList {
  allows(tenant: string, address: BucketAddress): boolean;
  /** Whose recording an object is: of the tenant whose entry says most of its address; undefined in no tenant's. */
  tenantOf(address: BucketAddress): string | undefined;
}

/** All objects of a bucket below a folder; `prefix` is empty or ends with a slash. */
interface Entry {
  readonly tenant: string;
  readonly bucket: string;
  readonly prefix: string;
}

const TENANT = /^[a-z0-9-]{1,32}$/;

/**
 * Reads `{"tenant": ["gs://bucket", "gs://bucket/folder"]}`. A folder ends at a slash: `gs://b/acme` does not hold
 * `gs://b/acme-2/x`. Throws an Error with all problems, one line each; an address that two tenants have is one.
 */
export function parseBucketList(text: string): BucketList {
  const problems: string[] = [];
  const entries = entriesOf(jsonObject(text), problems);
  const owners = new Map<string, string>();
  for (const { tenant, bucket, prefix } of entries) {
    const address = `gs://${bucket}/${prefix}`;
    if (owners.has(address)) problems.push(`${address} is there twice`);
    owners.set(address, tenant);
  }
  if (problems.length > 0) throw new Error(problems.join('; '));
  return bucketList(entries);
}

function bucketList(entries: readonly Entry[]): BucketList {
  const longestFirst = entries.toSorted((a, b) => b.prefix.length - a.prefix.length);
  const holds = (entry: Entry, { bucket, key }: BucketAddress) =>
    entry.bucket === bucket && key.startsWith(entry.prefix);
  return {
    allows: (tenant, address) => entries.some((each) => each.tenant === tenant && holds(each, address)),
    tenantOf: (address) => longestFirst.find((each) => holds(each, address))?.tenant,
  };
}

function jsonObject(text: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
  if (typeof content === 'object' && content !== null && !Array.isArray(content))
    return content as Record<string, unknown>;
  throw new Error('it is not an object of lists by tenant');
}

function entriesOf(content: Record<string, unknown>, problems: string[]): Entry[] {
  return Object.entries(content).flatMap(([tenant, list]) => {
    if (!TENANT.test(tenant)) problems.push(`${JSON.stringify(tenant)} is no name of a tenant`);
    if (!Array.isArray(list)) problems.push(`what ${tenant} has is not a list`);
    return (Array.isArray(list) ? list : []).flatMap((address: unknown) => {
      const entry = entryOf(tenant, String(address));
      if (!entry)
        problems.push(`${JSON.stringify(address)} of ${tenant} is not gs://bucket or gs://bucket/folder`);
      return entry ?? [];
    });
  });
}

function entryOf(tenant: string, address: string): Entry | undefined {
  const [, bucket = '', folder = ''] = /^gs:\/\/([^/]+)(?:\/(.*))?$/s.exec(address) ?? [];
  if (!isBucketName(bucket)) return undefined;
  const name = folder.replace(/\/$/, '');
  if (name === '') return folder === '' ? { tenant, bucket, prefix: '' } : undefined;
  try {
    return { tenant, bucket, prefix: `${checkKey(name)}/` };
  } catch {
    return undefined;
  }
}
