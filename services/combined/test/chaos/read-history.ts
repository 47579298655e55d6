import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULT_TENANT } from '@earshot/contracts';
import type { Work } from './at-rest.ts';
import { type ChaosWorld, QUOTAS, SLOTS } from './chaos-world.ts';
import type {
  ChunkFactRecord,
  Disturbance,
  EngineCall,
  History,
  Peak,
  Requests,
  StoredTranscript,
  Submission,
} from './history.ts';
import type { Stopped } from './nemesis.ts';
import { type FactsRead, readFacts, textOf } from './read-facts.ts';
import { type PlannedRecording, textsOf } from './recordings.ts';
import { runsIn, unwrittenTries } from './worker-log.ts';

/** What only the run itself knows. */
export interface RunNotes {
  readonly recordings: readonly PlannedRecording[];
  readonly submissions: readonly Submission[];
  readonly stopped: readonly Stopped[];
  readonly disturbances: readonly Disturbance[];
  readonly lost: readonly FactsRead[];
  /** The most messages that were out at once, by engine. */
  readonly held: readonly Peak[];
  readonly requests: Requests;
  readonly gentle: boolean;
  readonly work: Work;
}

/** Collects what PostgreSQL, the streams, the vendor's book, the logs and the storage tell of a run that is over. */
export async function readHistory(world: ChaosWorld, notes: RunNotes): Promise<History> {
  const facts = await readFacts(world.broker.url);
  const ledger = await readLedger(world);
  const calls = await readCalls(world, ledger);
  const known = unwrittenTries(world.runsOf('worker'));
  const unclear = [...ledger].filter(
    ([key, objects]) => !objects.includes('answer') && !objects.includes('done') && !known.has(key),
  );
  const { open: _, unread_facts: __, ...left } = notes.work;
  return {
    submissions: notes.submissions,
    transcripts: await readTranscripts(world, notes.recordings),
    chunkFacts: lastKnown([...notes.lost.map(({ chunks }) => chunks), facts.chunks]),
    finalFacts: [...notes.lost.flatMap(({ finals }) => finals), ...facts.finals],
    ...calls,
    peaks: [...calls.peaks, ...notes.held],
    runs: runsIn(world.runsOf('worker')),
    stopped: notes.stopped,
    disturbances: notes.disturbances,
    requests: notes.requests,
    gentle: notes.gentle,
    brought_back: broughtBack(world),
    rest: { ...left, orphans: await chunksLeft(world), unclear_calls: unclear.length },
  };
}

/** What the reconcilers say that they did. */
function broughtBack(world: ChaosWorld): number {
  const lines = world.runsOf('results').flatMap((run) => run.lines);
  return lines.reduce((sum, { republished }) => sum + Number(republished ?? 0), 0);
}

/** Facts of a store that was lost count only for chunks that nobody told of again. */
function lastKnown(stores: readonly (readonly ChunkFactRecord[])[]): ChunkFactRecord[] {
  const keyOf = ({ id, plan, n }: ChunkFactRecord) => `${id}/${plan}/${n}`;
  const known = new Set<string>();
  const kept = stores.toReversed().map((facts) => {
    const fresh = facts.filter((fact) => !known.has(keyOf(fact)));
    for (const fact of facts) known.add(keyOf(fact));
    return fresh;
  });
  return kept.toReversed().flat();
}

interface Row extends Omit<StoredTranscript, 'chunks' | 'gaps'> {
  readonly chunks:
    | readonly { plan: number; n: number; start_ms: number; end_ms: number; segments: { text: string }[] }[]
    | null;
  readonly gaps: readonly { plan: number; n: number }[] | null;
}

async function readTranscripts(
  world: ChaosWorld,
  recordings: readonly PlannedRecording[],
): Promise<StoredTranscript[]> {
  const planned = new Map(recordings.map((recording) => [recording.id, recording]));
  const rows = await world.database.query<Row>(
    `SELECT t.id, t.status, t.revision, t.plan, t.text,
       (SELECT count FROM splits s WHERE s.transcript_id = t.id AND s.plan = t.plan) AS count,
       (SELECT jsonb_agg(jsonb_build_object('plan', plan, 'n', n, 'start_ms', start_ms, 'end_ms', end_ms,
          'segments', segments) ORDER BY n) FROM chunks c WHERE c.transcript_id = t.id) AS chunks,
       (SELECT jsonb_agg(jsonb_build_object('plan', plan, 'n', n)) FROM dead_letters d
          WHERE d.transcript_id = t.id AND d.code <> 'unclear_call' AND NOT EXISTS (
            SELECT FROM chunks c WHERE (c.transcript_id, c.plan, c.n) = (t.id, d.plan, d.n))) AS gaps
     FROM transcripts t`,
  );
  const heard = new Map<number, string>();
  return rows.map(({ chunks, gaps, ...row }) => {
    const recording = planned.get(row.id);
    const textIn = recording?.seed === undefined ? undefined : textsOf(recording);
    return {
      ...row,
      gaps: gaps ?? [],
      chunks: (chunks ?? []).map(({ plan, n, start_ms, end_ms, ...chunk }) => {
        const text = textOf(chunk);
        return { plan, n, text, expected: textIn?.(start_ms, end_ms) ?? sameAgain(heard, start_ms, text) };
      }),
    };
  });
}

/** What the local engine hears in the real recording is not known before, but must be the same each time. */
function sameAgain(heard: Map<number, string>, startMs: number, text: string): string {
  const before = heard.get(startMs);
  if (before === undefined) heard.set(startMs, text);
  return before ?? text;
}

const ENGINE_OF: Readonly<Record<string, string>> = { call: 'lookup', transcribe: 'blind', free: 'free' };

async function readCalls(world: ChaosWorld, ledger: ReadonlyMap<string, readonly string[]>) {
  const { cloud, services } = world;
  const { peaks } = await cloud.stats();
  const calls: EngineCall[] = (await cloud.log())
    .filter(({ billed, kind, fault }) => (billed || kind === 'free') && fault !== 'fail')
    .map(({ kind, key }) => ({ engine: ENGINE_OF[kind] ?? kind, key: chunkOf(key) }));
  const caps = Object.entries(peaks).map(([kind, peak]): Peak => {
    const engine = ENGINE_OF[kind] ?? kind;
    return { what: `calls of ${engine}`, peak, allowed: QUOTAS[engine] ?? SLOTS * services.size };
  });
  const ambiguous = await ambiguousCalls(world, ledger);
  return { calls, ambiguous, paid: new Set(['lookup', 'blind']), peaks: caps };
}

/** Chunk objects of transcripts that are complete. */
async function chunksLeft({ storage, database }: ChaosWorld): Promise<string[]> {
  const rows = await database.query<{ id: string }>("SELECT id FROM transcripts WHERE status = 'completed'");
  const found = await Promise.all(
    rows.map(async ({ id }) => {
      const keys = await readdir(join(storage, DEFAULT_TENANT, id, 'chunks')).catch(() => []);
      return keys.map((key) => `${id}/chunks/${key}`);
    }),
  );
  return found.flat();
}

/** Everything that the ledger wrote down, by the key of the try. */
async function readLedger({ storage }: ChaosWorld): Promise<Map<string, readonly string[]>> {
  const tries = new Map<string, readonly string[]>();
  for (const id of await readdir(join(storage, DEFAULT_TENANT)).catch(() => [])) {
    const calls = `${DEFAULT_TENANT}/${id}/calls`;
    for (const name of await readdir(join(storage, calls)).catch(() => [])) {
      tries.set(`${calls}/${name}`, await readdir(join(storage, calls, name)));
    }
  }
  return tries;
}

/** How often each chunk had a blind call of which nobody could know whether it was made. */
async function ambiguousCalls({ storage }: ChaosWorld, ledger: ReadonlyMap<string, readonly string[]>) {
  const counts = new Map<string, number>();
  for (const [key, objects] of ledger) {
    if (!key.includes('-blind-') || !objects.includes('answer')) continue;
    const answer = JSON.parse(await readFile(join(storage, key, 'answer'), 'utf8')) as { refused?: string };
    if (answer.refused === 'unclear') counts.set(chunkOf(key), (counts.get(chunkOf(key)) ?? 0) + 1);
  }
  return counts;
}

/** The chunk that a call was for: what its key begins with, without the number of the try. */
const chunkOf = (key: string) => key.replace(/(\/calls\/\d+-\d+-[a-z]+)-\d+.*$/, '$1');
