import { toCodedError } from '@earshot/domain';
import {
  type AcceptDeps,
  type AcceptResult,
  acceptUpload,
  type RawUpload,
  readUpload,
  transcriptId,
} from '@earshot/intake';
import { done, type Outcome, outcomeOf } from '@earshot/jobs';
import type { Logger } from '@earshot/service-kit';

/** How often each end of an upload event was reached since the start. */
export type UploadCounts = Record<AcceptResult | 'gave_up', number>;

export interface UploadHandlerDeps extends AcceptDeps {
  readonly log: Logger;
  readonly counts: UploadCounts;
}

/** Counts of a service that has just started. */
export const noCounts = (): UploadCounts => ({
  queued: 0,
  settled: 0,
  left: 0,
  deleted: 0,
  other_data: 0,
  gave_up: 0,
});

const MEANING: Readonly<Record<AcceptResult, string>> = {
  queued: 'upload accepted',
  settled: 'upload was accepted before',
  left: 'upload is too old to tell what became of it; the reconciler decides',
  deleted: 'upload of a deleted transcript',
  other_data: 'the event id was used before with other data; this upload event is dropped',
};

/** Accepts upload events: `done` or, for what can never be accepted, `give_up`; trouble of others is `retry`. */
export function uploadHandler(deps: UploadHandlerDeps) {
  return async (raw: RawUpload): Promise<Outcome> => {
    const read = readUpload(raw);
    if (read.kind === 'unreadable') return { kind: 'give_up', error: read.error };
    const { tenant, source, event_id } = read.upload;
    const id = transcriptId(tenant, source, event_id);
    const about = { tenant_id: tenant, transcript_id: id, source, event_id };
    try {
      const result = await acceptUpload(read.upload, deps);
      deps.counts[result] += 1;
      deps.log[result === 'other_data' ? 'warn' : 'info']({ ...about, result }, MEANING[result]);
      return done();
    } catch (error) {
      const { code, message } = toCodedError(error);
      deps.log.warn({ ...about, code, detail: message }, 'upload not accepted');
      return outcomeOf(error);
    }
  };
}
