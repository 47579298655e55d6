import { CodedError } from '@earshot/domain';

const MAX_KEY_BYTES = 1024;
const SEGMENT = /^[^/\\]+$/;

function isSafeSegment(segment: string): boolean {
  if (!SEGMENT.test(segment) || segment === '.' || segment === '..') return false;
  for (const char of segment) {
    const code = char.codePointAt(0) ?? 0;
    if (code < 0x20 || code === 0x7f) return false;
  }
  return true;
}

/** Returns `key` when it is relative and holds no empty, dot or control-character segments; throws `forbidden_key`. */
export function checkKey(key: string): string {
  const safe = Buffer.byteLength(key) <= MAX_KEY_BYTES && key.split('/').every(isSafeSegment);
  if (!safe) throw new CodedError('forbidden_key', 'the storage key is not a plain relative path');
  return key;
}

/** Like {@link checkKey}, and the key must lie under the tenant's prefix. */
export function checkTenantKey(tenant: string, key: string): string {
  checkKey(key);
  if (!key.startsWith(`${tenant}/`)) {
    throw new CodedError('forbidden_key', `the storage key must start with ${tenant}/`);
  }
  return key;
}
