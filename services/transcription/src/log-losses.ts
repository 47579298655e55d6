import type { Log, LoopEvents } from '@earshot/messaging';

/**
 * Tells, and counts since the start, when a job turned out to be somebody else's: its lease was lost, or its result came
 * second and changed nothing.
 */
export function logLosses(stage: 'split' | 'chunk', log: Log): LoopEvents {
  let leases = 0;
  let results = 0;
  return {
    settled: ({ subject, delivery, settled }) => {
      if (settled !== 'lease_lost') return;
      leases += 1;
      log.warn({ stage, subject, delivery, leases_lost: leases }, 'the lease of a job was lost');
    },
    alreadyThere: (subject) => {
      results += 1;
      log.warn({ stage, subject, results_second: results }, 'a result came second and changed nothing');
    },
  };
}
