import { describe, expect, it } from 'vitest';
import type { History, JobRun, StoredTranscript } from './history.ts';
import { invariants } from './invariants.ts';

const transcript = (id: string, over: Partial<StoredTranscript> = {}): StoredTranscript => ({
  id,
  status: 'completed',
  revision: 1,
  plan: 1,
  count: 2,
  text: 'a b',
  chunks: [
    { plan: 1, n: 0, text: 'a', expected: 'a' },
    { plan: 1, n: 1, text: 'b', expected: 'b' },
  ],
  gaps: [],
  ...over,
});

const partial = transcript('poisoned', {
  status: 'partial',
  text: 'a',
  chunks: [{ plan: 1, n: 0, text: 'a', expected: 'a' }],
  gaps: [{ plan: 1, n: 1 }],
});

const run = (worker: string, over: Partial<JobRun> = {}): JobRun => ({
  ...{ worker, job: 'j', attempt: 1, delivery: 1, seq: 7 },
  ...{ started_at: 1_000, ended_at: 1_500, outcome: 'done' },
  ...over,
});
const later = { started_at: 3_000, ended_at: 3_500 };

/** A run in which all went well: one recording is whole, one has a chunk that nobody can transcribe. */
const good: History = {
  submissions: [
    { id: 'whole', outcome: 'accepted', poison: false },
    { id: 'poisoned', outcome: 'accepted', poison: true },
    { id: 'never-arrived', outcome: 'unknown', poison: false },
  ],
  transcripts: [transcript('whole'), partial],
  chunkFacts: [
    { id: 'whole', plan: 1, n: 0, text: 'a' },
    { id: 'whole', plan: 1, n: 1, text: 'b' },
    { id: 'poisoned', plan: 1, n: 0, text: 'a' },
  ],
  finalFacts: [
    { id: 'whole', status: 'completed', revision: 1 },
    { id: 'poisoned', status: 'partial', revision: 1 },
    { id: 'poisoned', status: 'partial', revision: 1 },
  ],
  calls: [
    { engine: 'paid', key: 'one' },
    { engine: 'paid', key: 'two' },
    { engine: 'paid', key: 'two' },
    { engine: 'free', key: 'three' },
    { engine: 'free', key: 'three' },
  ],
  ambiguous: new Map([['two', 1]]),
  paid: new Set(['paid']),
  peaks: [{ what: 'calls of paid', peak: 3, allowed: 3 }],
  runs: [
    run('w1.0', { outcome: 'interrupted' }),
    run('w2.0', { delivery: 2, started_at: 2_000, ended_at: 2_500 }),
  ],
  disturbances: [],
  stopped: [{ worker: 'w1.0', jobs: ['j'] }],
  rest: { jobs: 0, uploads: 0, ack_pending: 0, unsent_outbox: 0, orphans: [], unclear_calls: 0 },
  requests: { made: 10, repeated: 3, unanswered: 1 },
  gentle: false,
  brought_back: 0,
};

const findings = (history: History) =>
  invariants.flatMap(({ name, check }) => check(history).map((words) => `${name}: ${words}`));

const only = (change: Partial<StoredTranscript>): Partial<History> => ({
  transcripts: [transcript('whole', change), partial],
});

it('finds nothing in a good history', () => {
  expect(findings(good)).toEqual([]);
});

describe('a history is refused when', () => {
  it.each<[string, Partial<History>, string]>([
    ['an accepted recording is lost', { transcripts: [partial] }, 'I1: whole was accepted and is not there'],
    [
      'a recording is there twice',
      { transcripts: [...good.transcripts, partial] },
      'I1: poisoned is there twice',
    ],
    ['a transcript never ends', only({ status: 'processing' }), 'I1: whole is processing'],
    [
      'one appears that nobody sent',
      { submissions: good.submissions.slice(1) },
      'I1: whole was never submitted',
    ],
    [
      'a chunk has the text of another',
      only({
        text: 'a b',
        chunks: [{ plan: 1, n: 0, text: 'b', expected: 'a' }, ...transcript('x').chunks.slice(1)],
      }),
      'I2: chunk 1/0 of whole has the text of another',
    ],
    ['a completed transcript lacks a chunk', only({ count: 3 }), 'I2: whole is completed with 2 of 3 chunks'],
    [
      'the text is not that of the chunks',
      only({ text: 'b a' }),
      'I2: the text of whole is not that of its chunks',
    ],
    ['a paid call was made twice', { ambiguous: new Map() }, 'I3: 2 paid calls for two'],
    [
      'a second result of a chunk was taken',
      { chunkFacts: [{ id: 'whole', plan: 1, n: 0, text: 'z' }, ...good.chunkFacts] },
      'I4: chunk 1/0 of whole is not the first result',
    ],
    [
      'a canceled transcript comes back',
      {
        finalFacts: [
          { id: 'whole', status: 'canceled', revision: 1 },
          { id: 'whole', status: 'completed', revision: 2 },
        ],
      },
      'I5: whole went from canceled to completed',
    ],
    ['a final state was not published', { finalFacts: [] }, 'I6: nobody was told that whole is completed'],
    [
      'one revision was published with two states',
      { finalFacts: [...good.finalFacts, { id: 'whole', status: 'failed', revision: 1 }] },
      'I6: whole (revision 1) was published with two states',
    ],
    [
      'an engine had too many calls',
      { peaks: [{ what: 'calls of paid', peak: 4, allowed: 3 }] },
      'I7: there were 4 calls of paid at once, 3 are allowed',
    ],
    ['a job is left', { rest: { ...good.rest, jobs: 1 } }, 'I8: 1 jobs in the stream'],
    ['a fact was not sent', { rest: { ...good.rest, unsent_outbox: 2 } }, 'I8: 2 unsent rows in the outbox'],
    ['a paid call is unclear', { rest: { ...good.rest, unclear_calls: 1 } }, 'I8: 1 unclear paid calls'],
    [
      'an object is left',
      { rest: { ...good.rest, orphans: ['x/chunks/1'] } },
      'I8: x/chunks/1 was left in storage',
    ],
    [
      'healthy work was given up on',
      { submissions: good.submissions.map((one) => ({ ...one, poison: false })) },
      'I8: 1 chunks of poisoned were given up on',
    ],
    [
      'what cannot be transcribed is called complete',
      { submissions: good.submissions.map((one) => ({ ...one, poison: true })) },
      'I8: whole cannot be transcribed and is completed',
    ],
    [
      'a stop burns an attempt',
      { runs: [run('w1.0', { outcome: 'interrupted' }), run('w2.0', { ...later, attempt: 2 })] },
      'I9: the stop of w1.0 burnt an attempt of j',
    ],
    [
      'a failure burns no attempt',
      { runs: [run('w1.0', { outcome: 'retry' }), run('w2.0', { ...later, delivery: 2 })] },
      'I9: j failed and is still at attempt 1',
    ],
    [
      'a recording is refused',
      { submissions: [...good.submissions, { id: 'turned-away', outcome: 'refused', poison: false }] },
      'I11: turned-away was refused',
    ],
    ['a job was lost', { brought_back: 2 }, 'I12: 2 jobs were lost and brought back'],
    ['a rolling restart is noticed', { gentle: true }, 'I11: 1 requests got no answer'],
    [
      'finished work comes again after a short cut',
      {
        runs: [run('w1.0'), run('w2.0', { ...later, delivery: 2 })],
        disturbances: [{ thing: 'w1/nats', from: 1_400, to: 2_200 }],
      },
      'I10: j was done by w1.0 and began again at w2.0',
    ],
  ])('%s', (_, change, finding) => {
    expect(findings({ ...good, ...change }).join('\n')).toContain(finding);
  });
});

it.each<[string, Partial<History>]>([
  ['its worker was killed', { disturbances: [{ thing: 'w1', from: 1_600, to: 1_700 }] }],
  ['its worker was cut off', { disturbances: [{ thing: 'w1/nats', from: 500, to: 9_000 }] }],
  [
    'its worker was cut off twice, for too long in all',
    {
      disturbances: [
        { thing: 'w1/nats', from: 1_450, to: 2_250 },
        { thing: 'w1/nats', from: 2_250, to: 3_050 },
      ],
    },
  ],
  ['the store was lost in between', { disturbances: [{ thing: 'store', from: 2_600, to: 2_700 }] }],
  ['nothing moved for a while', { disturbances: [{ thing: 'stall', from: 1_200, to: 2_400 }] }],
  ['the broker was killed', { disturbances: [{ thing: 'nats', from: 1_200, to: 1_400 }] }],
  ['the broker forgot that it handed it out', { runs: [run('w1.0'), run('w2.0', later)] }],
  [
    'there was a second message of it',
    { runs: [run('w1.0'), run('w2.0', { ...later, delivery: 2, seq: 8 })] },
  ],
])('finished work may come again when %s', (_, disturbed) => {
  const runs = [run('w1.0'), run('w2.0', { ...later, delivery: 2 })];
  expect(findings({ ...good, stopped: [], runs, ...disturbed })).toEqual([]);
});

it('takes a copy that a repeated split made of a waiting job for no lost attempt, and any other for one', () => {
  const job = 'chunk/a/1/0';
  const runs = [run('w1.0', { job, outcome: 'retry' }), run('w2.0', { job, ...later })];
  const split = run('w2.0', { job: 'split/a/1', delivery: 2, started_at: 2_000, ended_at: 4_000 });
  expect(findings({ ...good, runs: [...runs, split] })).toEqual([]);
  expect(findings({ ...good, runs })).toEqual([`I9: ${job} failed and is still at attempt 1`]);
});
