import { accepted } from './accepted/message.ts';
import { chunkFact } from './chunk-fact/message.ts';
import { chunkJob } from './chunk-job/message.ts';
import { finalFacts } from './final-fact/message.ts';
import { gaveUp } from './gave-up/message.ts';
import type { MessageKind } from './message.ts';
import type { Lane } from './names.ts';
import { splitFact } from './split-fact/message.ts';
import { splitJob } from './split-job/message.ts';
import { chunkJobSubject, factSubjects, splitJobSubject } from './subjects.ts';

/** A message of ours with the address it goes to, its variable words in braces. */
interface AddressedKind {
  readonly name: string;
  readonly summary: string;
  readonly kind: MessageKind<never>;
  readonly address: string;
}

const word = <T>(name: string) => `{${name}}` as T;
const facts = factSubjects(word('tenant'), word('id'));
const job = { lane: word<Lane>('lane'), tenant: word<string>('tenant'), id: word<string>('id') };
const numbers = { plan: word<number>('plan'), n: word<number>('n') };

const kind = (name: string, summary: string, message: unknown, address: string): AddressedKind => ({
  name,
  summary,
  kind: message as MessageKind<never>,
  address,
});

/** Every message our services publish, in the order in which a recording meets them. */
export const messageKinds: readonly AddressedKind[] = [
  kind('accepted', 'A recording was accepted.', accepted, facts.accepted),
  kind(
    'splitJob',
    'Asks for a recording to be cut.',
    splitJob,
    splitJobSubject(job.lane, job.tenant, job.id),
  ),
  kind(
    'chunkJob',
    'Asks for a chunk to be transcribed.',
    chunkJob,
    chunkJobSubject({ engine: word('engine'), ...job, ...numbers }),
  ),
  kind('split', 'A recording was cut to its end.', splitFact, facts.split(numbers.plan)),
  kind('chunk', 'A chunk was transcribed.', chunkFact, facts.chunk(numbers.plan, numbers.n)),
  kind('gaveUp', 'Work was given up on.', gaveUp, facts.gaveUp(word('stage'), numbers.plan, numbers.n)),
  ...(Object.keys(finalFacts) as (keyof typeof finalFacts)[]).map((status) =>
    kind(status, `A transcript is ${status}.`, finalFacts[status], facts.final(status)),
  ),
];
