import type { StoredTranscript } from './history.ts';
import { groups, type Invariant, lostStore } from './invariant.ts';
import { attemptsAreCounted, nothingTwice } from './run-invariants.ts';

const FINAL = new Set(['completed', 'partial', 'failed', 'canceled']);

const chunkKey = ({ id, plan, n }: { id: string; plan: number; n: number }) => `${id}/${plan}/${n}`;

const oneFinalState: Invariant = {
  name: 'I1',
  says: 'every accepted recording has exactly one transcript, in a final state',
  check: ({ submissions, transcripts }) => {
    const byId = groups(transcripts, ({ id }) => id);
    const known = new Set(submissions.map(({ id }) => id));
    const lost = submissions
      .filter(({ id, outcome }) => outcome === 'accepted' && !byId.has(id))
      .map(({ id }) => `${id} was accepted and is not there`);
    const open = transcripts
      .filter(({ status }) => !FINAL.has(status))
      .map(({ id, status }) => `${id} is ${status}`);
    const double = [...byId].filter(([, rows]) => rows.length > 1).map(([id]) => `${id} is there twice`);
    const strange = transcripts
      .filter(({ id }) => !known.has(id))
      .map(({ id }) => `${id} was never submitted`);
    return [...lost, ...open, ...double, ...strange];
  },
};

const textOf = ({ chunks, plan, count }: StoredTranscript) =>
  chunks
    .filter((chunk) => chunk.plan === plan && chunk.n < (count ?? 0))
    .sort((a, b) => a.n - b.n)
    .map(({ expected }) => expected)
    .join(' ');

const rightText: Invariant = {
  name: 'I2',
  says: 'each text is what its sound gives, and a transcript is all of its chunks in order',
  check: ({ transcripts }) =>
    transcripts.flatMap((transcript) => {
      const { id, status, count, chunks, text } = transcript;
      const wrong = chunks
        .filter((chunk) => chunk.text !== chunk.expected)
        .map(({ plan, n }) => `chunk ${plan}/${n} of ${id} has the text of another`);
      const short =
        status === 'completed' && new Set(chunks.map(({ n }) => n)).size < (count ?? 0)
          ? [`${id} is completed with ${chunks.length} of ${count} chunks`]
          : [];
      const mixed =
        FINAL.has(status) && text !== textOf(transcript)
          ? [`the text of ${id} is not that of its chunks`]
          : [];
      return [...wrong, ...short, ...mixed];
    }),
};

const paidOnce: Invariant = {
  name: 'I3',
  says: 'a paid engine is called once for each chunk, unclear calls aside',
  check: ({ calls, paid, ambiguous }) =>
    [
      ...groups(
        calls.filter(({ engine }) => paid.has(engine)),
        ({ key }) => key,
      ),
    ]
      .filter(([key, made]) => made.length > 1 + (ambiguous.get(key) ?? 0))
      .map(([key, made]) => `${made.length} paid calls for ${key}`),
};

const firstStays: Invariant = {
  name: 'I4',
  says: 'the first result of a chunk stays',
  check: ({ chunkFacts, transcripts }) => {
    const first = new Map<string, string>();
    for (const fact of chunkFacts) if (!first.has(chunkKey(fact))) first.set(chunkKey(fact), fact.text);
    const twice = [...groups(chunkFacts, chunkKey)]
      .filter(([, facts]) => facts.length > 1)
      .map(([key, facts]) => `${facts.length} results of chunk ${key} in the stream`);
    const replaced = transcripts.flatMap(({ id, chunks }) =>
      chunks
        .filter((chunk) => (first.get(chunkKey({ id, ...chunk })) ?? chunk.text) !== chunk.text)
        .map(({ plan, n }) => `chunk ${plan}/${n} of ${id} is not the first result`),
    );
    return [...twice, ...replaced];
  },
};

/** Which final state may follow which; retries and late results lead back from `partial` and `failed` only. */
const MAY_FOLLOW: Readonly<Record<string, readonly string[]>> = {
  partial: ['partial', 'completed', 'failed', 'canceled', 'deleted'],
  failed: ['failed', 'partial', 'completed', 'canceled', 'deleted'],
  completed: ['deleted'],
  canceled: ['deleted'],
  deleted: [],
};

const legalEdges: Invariant = {
  name: 'I5',
  says: 'no final state is followed by one that may not follow it',
  check: ({ finalFacts }) =>
    [...groups(finalFacts, ({ id }) => id)].flatMap(([id, facts]) => {
      const ordered = [...new Map(facts.map((fact) => [fact.revision, fact])).values()].sort(
        (a, b) => a.revision - b.revision,
      );
      return ordered.slice(1).flatMap((fact, at) => {
        const before = ordered[at]?.status ?? '';
        return MAY_FOLLOW[before]?.includes(fact.status)
          ? []
          : [`${id} went from ${before} to ${fact.status}`];
      });
    }),
};

const oneFinalFact: Invariant = {
  name: 'I6',
  says: 'the state of a transcript was published, and says what the database says',
  check: ({ transcripts, finalFacts }) => {
    const byId = groups(finalFacts, ({ id }) => id);
    const untold = transcripts
      .filter(({ id, status, revision }) => {
        const facts = byId.get(id) ?? [];
        return !facts.some((fact) => fact.revision === revision && fact.status === status);
      })
      .map(({ id, status, revision }) => `nobody was told that ${id} is ${status} (revision ${revision})`);
    const contradictory = [...groups(finalFacts, ({ id, revision }) => `${id} (revision ${revision})`)]
      .filter(([, facts]) => new Set(facts.map(({ status }) => status)).size > 1)
      .map(([key]) => `${key} was published with two states`);
    return [...untold, ...contradictory];
  },
};

const underTheCap: Invariant = {
  name: 'I7',
  says: 'no engine had more calls at once than it may, and nobody holds more jobs than they work on',
  check: ({ peaks }) =>
    peaks
      .filter(({ peak, allowed }) => peak > allowed)
      .map(({ what, peak, allowed }) => `there were ${peak} ${what} at once, ${allowed} are allowed`),
};

const nothingLeft: Invariant = {
  name: 'I8',
  says: 'at rest nothing is left but the dead letters of recordings that cannot be transcribed',
  check: ({ rest, transcripts, submissions }) => {
    const poison = new Set(submissions.filter((one) => one.poison).map(({ id }) => id));
    const counts = Object.entries({
      'jobs in the stream': rest.jobs,
      'upload events in the stream': rest.uploads,
      'messages without an ack': rest.ack_pending,
      'unsent rows in the outbox': rest.unsent_outbox,
      'unclear paid calls': rest.unclear_calls,
    });
    return [
      ...counts.filter(([, count]) => count > 0).map(([what, count]) => `${count} ${what}`),
      ...rest.orphans.map((key) => `${key} was left in storage`),
      ...transcripts
        .filter(({ id, gaps }) => gaps.length > 0 && !poison.has(id))
        .map(({ id, gaps }) => `${gaps.length} chunks of ${id} were given up on`),
      ...transcripts
        .filter(({ id, gaps, status }) => poison.has(id) && gaps.length === 0 && status === 'completed')
        .map(({ id }) => `${id} cannot be transcribed and is completed`),
    ];
  },
};

const doorsStayOpen: Invariant = {
  name: 'I11',
  says: 'no recording is refused, and a rolling restart leaves no request without an answer',
  check: ({ submissions, requests, gentle }) => [
    ...submissions
      .filter(({ outcome }) => outcome === 'refused')
      .map(({ id, code }) => `${id} was refused (${code})`),
    ...(gentle && requests.unanswered > 0 ? [`${requests.unanswered} requests got no answer`] : []),
    ...(gentle
      ? submissions.filter(({ outcome }) => outcome === 'unknown').map(({ id }) => `nobody took ${id}`)
      : []),
  ],
};

const noJobIsLost: Invariant = {
  name: 'I12',
  says: 'no job is lost while its store is kept: the reconciler has nothing to bring back',
  check: (history) =>
    history.brought_back > 0 && !lostStore(history, 0, Number.POSITIVE_INFINITY)
      ? [`${history.brought_back} jobs were lost and brought back although the store was not`]
      : [],
};

/** I1 to I9 as in the design, and three more, in order. */
export const invariants: readonly Invariant[] = [
  oneFinalState,
  rightText,
  paidOnce,
  firstStays,
  legalEdges,
  oneFinalFact,
  underTheCap,
  nothingLeft,
  attemptsAreCounted,
  nothingTwice,
  doorsStayOpen,
  noJobIsLost,
];
