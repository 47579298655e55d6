import { CodedError } from '@earshot/domain';
import { checkTenantKey } from '@earshot/storage';

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):/;

/** The storage key that `uri` means; throws `forbidden_key` outside the tenant and `unsupported_uri` elsewhere. */
export function keyOfUri(tenant: string, uri: string): string {
  const scheme = SCHEME.exec(uri)?.[1];
  if (scheme)
    throw new CodedError('unsupported_uri', `${scheme.toLowerCase()}: addresses cannot be read yet`);
  return checkTenantKey(tenant, uri);
}
