import { CodedError } from '@earshot/domain';
import { requireScope, type Scope } from '@earshot/service-kit';

const lets = (scope: Scope) => requireScope(scope, (detail) => new CodedError('forbidden', detail));

/** Lets only keys that may read pass. */
export const canRead = lets('read');

/** Lets only keys pass that may submit recordings: what they asked for they may call off, or ask for again. */
export const canWrite = lets('write');

/** Lets only keys of operators pass. */
export const canOperate = lets('operate');

/** Lets only keys pass that may act for the whole installation. */
export const canAdmin = lets('admin');
