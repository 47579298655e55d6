import type { DeadLetterSelection } from '@earshot/contracts';
import type { Principal } from '@earshot/service-kit';
import type { LetterFilter, LetterOwner } from '../store/sql/find-dead-letters.ts';
import { checkTime } from './check-time.ts';

/** Whose dead letters a key may see: its tenant's, and with `admin` those that belong to nobody. */
export const ownerOf = ({ tenant, scopes }: Principal): LetterOwner => ({
  tenant,
  nobodys: scopes.includes('admin'),
});

/** What a selection restricts. */
export const toSelection = (
  wanted: DeadLetterSelection,
): Omit<LetterFilter, 'states' | keyof LetterOwner> => ({
  transcript_id: wanted.transcript_id,
  stage: wanted.stage,
  code: wanted.code,
  created_after: checkTime('created_after', wanted.created_after),
  created_before: checkTime('created_before', wanted.created_before),
});
