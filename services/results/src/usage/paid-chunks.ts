import type { Fact } from '../facts/fact.ts';
import type { Usage } from '../store/sql/usage.ts';

/** The chunks of a batch that cost money, also those of transcripts that are canceled or deleted by now. */
export function paidChunks(
  facts: readonly Fact[],
  tenantOf: (transcriptId: string) => string | undefined,
): Usage[] {
  return facts.flatMap((fact) => {
    if (fact.kind !== 'chunk' || fact.data.billed_ms === undefined) return [];
    const { transcript_id, plan, n, engine, tenant_id, model, start_ms, end_ms, billed_ms } = fact.data;
    if (tenantOf(transcript_id) !== tenant_id) return [];
    const place = { transcript_id, plan, n, engine, tenant_id, model };
    return [{ ...place, audio_ms: end_ms - start_ms, billed_ms, billed_at: fact.time }];
  });
}
