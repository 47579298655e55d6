import { METRICS } from '@earshot/contracts';
import type { Metrics } from '@earshot/service-kit';
import type { OutboxRow } from '../store/sql/outbox.ts';

type OnFinal = (rows: readonly OutboxRow[]) => void;

const COUNTED = ['completed', 'partial'];

/** Counts transcripts as they end, before `next` gets their facts. */
export function countFinal(metrics: Metrics, next: OnFinal): OnFinal {
  for (const status of COUNTED) metrics.start(METRICS.completed, { status });
  return (rows) => {
    for (const { payload } of rows) {
      if (COUNTED.includes(payload.status)) metrics.add(METRICS.completed, 1, { status: payload.status });
    }
    next(rows);
  };
}
