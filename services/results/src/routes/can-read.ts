import { CodedError } from '@earshot/domain';
import { requireScope } from '@earshot/service-kit';

/** Lets only keys that may read pass. */
export const canRead = requireScope('read', (detail) => new CodedError('forbidden', detail));
