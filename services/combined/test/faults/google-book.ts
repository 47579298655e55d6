import type { SeededRandom } from '@earshot/testkit';
import type { SpeechFault } from '../../../../libs/engine-google/test/speech-server/speech-book.ts';
import type { FaultWorld } from './fault-world.ts';
import type { PaidBook } from './paid-work.ts';

/** The book of the world's Speech-to-Text. */
export function bookOf({ speech }: FaultWorld): PaidBook {
  if (!speech) throw new Error('this world has no Speech-to-Text');
  return {
    bill: async () => speech.bill().map(({ key, billedMs }) => ({ key, billed_ms: billedMs })),
    peak: async () => speech.inFlight().peak,
  };
}

/**
 * For the next calls: one in eight has its answer lost, one in sixteen meets the quota, and one in 64 never arrives, which takes
 * a minute and a half to be sure of.
 */
export const lostReplies = (random: SeededRandom, calls: number): (SpeechFault | undefined)[] =>
  Array.from({ length: calls }, () => {
    const chance = random.below(64);
    if (chance < 8) return 'lose_reply';
    if (chance < 12) return 'quota';
    return chance === 12 ? 'drop' : undefined;
  });
