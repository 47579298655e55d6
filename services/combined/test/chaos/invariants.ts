import type { History, JobRun, StoredTranscript } from './history.ts';

/** What must hold in every history; each returns what contradicts it, in words. */
export interface Invariant {
  readonly name: string;
  readonly says: string;
  check(history: History): string[];
}

const FINAL = new Set(['completed', 'partial', 'failed', 'canceled']);

const groups = <T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> => {
  const found = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = found.get(key);
    if (group) group.push(item);
    else found.set(key, [item]);
  }
  return found;
};

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

/** What was broken between two moments, as far as a worker noticed it. */
const disturbing = (history: History, worker: string, from: number, to: number) => {
  const role = worker.replace(/\..*/, '');
  const noticed = new Set([role, `${role}/nats`, 'nats']);
  return history.disturbances.filter((one) => noticed.has(one.thing) && one.from <= to && one.to >= from);
};

/** How long after the end of its work a worker may still be about to acknowledge. */
const ACK_MS = 3_000;

/** Runs of the same job, one after another. */
const pairs = (runs: readonly JobRun[]) =>
  [...groups(runs, ({ job }) => job).values()].flatMap((of) =>
    of.slice(1).map((next, at) => [of[at] as JobRun, next] as const),
  );

/**
 * A split that begins again publishes what it finds no job for. It does not see one that waits for its retry, so there is a
 * second copy of that job, whose attempts count from the beginning.
 */
const copiedBySplit = ({ runs }: History, failed: JobRun, next: JobRun) => {
  const [, id] = failed.job.split('/');
  return (
    next.delivery === 1 &&
    runs.some(
      ({ job, delivery, started_at, ended_at = Number.POSITIVE_INFINITY }) =>
        job.startsWith(`split/${id}/`) &&
        delivery > 1 &&
        started_at <= next.started_at &&
        ended_at >= failed.started_at,
    )
  );
};

const attemptsAreCounted: Invariant = {
  name: 'I9',
  says: 'a stop burns no attempt, a failure burns one',
  check: (history) => {
    const { stopped, runs } = history;
    const burnt = stopped.flatMap(({ worker, jobs }) =>
      jobs.flatMap((job) => {
        const of = runs.filter((run) => run.job === job);
        const at = of.findIndex((run) => run.worker === worker);
        const [here, next] = [of[at], of[at + 1]];
        if (!here || !next || here.outcome === 'retry') return [];
        return next.attempt > here.attempt ? [`the stop of ${worker} burnt an attempt of ${job}`] : [];
      }),
    );
    const free = pairs(runs)
      .filter(([failed, next]) => failed.outcome === 'retry' && next.attempt === failed.attempt)
      .filter(([failed, next]) => {
        const { worker, started_at, ended_at = started_at } = failed;
        if (next.started_at < ended_at || copiedBySplit(history, failed, next)) return false;
        return disturbing(history, worker, started_at, ended_at + ACK_MS).length === 0;
      })
      .map(([{ job, attempt }]) => `${job} failed and is still at attempt ${attempt}`);
    return [...burnt, ...free];
  },
};

/**
 * A worker that is cut off for longer in all may lose a job before it can acknowledge it: its lease, which runs from the
 * pull, may have two seconds left. One whose connection was only reset can: it comes back and says so again. A broker that
 * was killed may bring a job back early.
 */
const SHORT_MS = 1_200;

/** Facts went with the store, so what they told of may be done again. */
const lostStore = ({ disturbances }: History, from: number, to: number) =>
  disturbances.some((one) => one.thing === 'store' && one.from <= to && one.to >= from);

const nothingTwice: Invariant = {
  name: 'I10',
  says: 'what a worker finished and could acknowledge does not come again',
  check: (history) =>
    pairs(history.runs)
      .filter(([done, next]) => done.outcome === 'done' && next.delivery > done.delivery)
      .filter(([{ worker, started_at, ended_at = started_at }, next]) => {
        if (next.started_at < ended_at || lostStore(history, started_at, next.started_at)) return false;
        const cuts = disturbing(history, worker, started_at, ended_at + ACK_MS);
        const cutMs = cuts.reduce((sum, { from, to }) => sum + to - from, 0);
        return cutMs < SHORT_MS && cuts.every(({ thing }) => thing.endsWith('/nats'));
      })
      .map(([{ job, worker }, next]) => `${job} was done by ${worker} and began again at ${next.worker}`),
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
