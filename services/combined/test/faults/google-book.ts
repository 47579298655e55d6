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

/** For the next calls: one in eight has its answer lost, one in sixteen never arrives, one in sixteen meets the quota. */
export const lostReplies = (random: SeededRandom, calls: number): (SpeechFault | undefined)[] =>
  Array.from({ length: calls }, () => FAULTS[random.below(16)]);

const FAULTS: readonly SpeechFault[] = ['lose_reply', 'lose_reply', 'drop', 'quota'];
