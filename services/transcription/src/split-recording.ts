import {
  type Cut,
  chunkJob,
  factSubjects,
  gaveUp,
  type OutgoingMessage,
  type Split,
  type SplitJob,
  splitFact,
} from '@earshot/contracts';
import { toCodedError } from '@earshot/domain';
import type { EngineCapabilities } from '@earshot/engine';
import {
  done,
  type FactReader,
  type JobHandler,
  type Outcome,
  type Publisher,
  type TakenJob,
} from '@earshot/jobs';
import { storageKeys } from '@earshot/storage';
import { boundedFact } from './bounded-fact.ts';
import { SOURCE } from './job-kinds.ts';
import type { RecordingPlaces } from './recording-places.ts';
import { type FailureContext, settleFailure } from './settle-failure.ts';
import { checkLanguage } from './split/check-language.ts';
import { type ChunkLengths, chunkLengths } from './split/chunk-lengths.ts';
import { adoptDecided, CutLedger } from './split/cut-ledger.ts';
import { type CutRecording, cutRecording } from './split/cut-recording.ts';
import { openRecording } from './split/open-recording.ts';
import { wholeLimit } from './split/whole-recording.ts';
import { inSpan } from './trace/in-span.ts';

/** What splitting needs. */
export interface SplitDependencies extends RecordingPlaces {
  readonly publisher: Publisher;
  readonly facts: FactReader;
  readonly isStorageAway: FailureContext['isStorageAway'];
  /** Path of the ffmpeg program. */
  readonly ffmpeg: string;
  /** What an engine can do; undefined for one that this worker does not run. */
  readonly capabilities: (engine: string) => EngineCapabilities | undefined;
  readonly maxRecordingHours: number;
  /** Attempts after which a failure is final. */
  readonly maxAttempts: number;
  readonly taskTimeLimitMs: number;
  /** Overrides the lengths that follow from what an engine can do. */
  readonly lengths?: ((engine: string) => ChunkLengths | undefined) | undefined;
}

/** How soon a recording that is not in storage yet is looked for again. */
const LOOK_AGAIN_MS = 2000;

/**
 * Cuts a recording into chunks. Every chunk's job is published as soon as the chunk is stored, so the first text can be read
 * while the rest is being cut; the fact `split` is the last message. Running it again goes on where the last run was killed.
 */
export function splitRecording(deps: SplitDependencies): JobHandler<SplitJob> {
  return async (job) => {
    const ledger = new CutLedger(deps.storage, job.data);
    try {
      return await split(deps, job, ledger);
    } catch (error) {
      return settleSplit(deps, job, ledger, error);
    }
  };
}

async function split(deps: SplitDependencies, job: TakenJob<SplitJob>, ledger: CutLedger): Promise<Outcome> {
  const { data, signal } = job;
  checkLanguage(data.language, deps.capabilities(data.engine));
  const onCut = (n: number, cut: Cut, ours: boolean) => publishChunk(deps, job, n, cut, ours);
  const first = await ledger.readNext();
  if ((first || isRepeated(job)) && (await isSettled(deps, data))) return done();
  const recording = await openRecording(deps, data);
  if (!recording) return { kind: 'later', after_ms: LOOK_AGAIN_MS };
  try {
    if (recording.version !== undefined) ledger.pin(recording.version);
    if (first) await onCut(0, first, false);
    await adoptDecided(ledger, onCut);
    const cutting = {
      ffmpeg: deps.ffmpeg,
      path: recording.path,
      mode: data.channels,
      ...waysToCut(deps, data),
      maxDurationMs: deps.maxRecordingHours * 3_600_000,
      timeoutMs: deps.taskTimeLimitMs,
      signal,
      ledger,
      onCut,
    };
    const whole = await inSpan('decode', {}, async (span) => {
      const cut = await cutRecording(cutting);
      span.setAttribute('earshot.audio_seconds', cut.duration_ms / 1000);
      return cut;
    });
    return done(await wholeFact(deps, job, ledger, whole));
  } finally {
    await recording.release();
  }
}

/** How the engine wants to have a recording. */
function waysToCut({ capabilities, lengths }: SplitDependencies, { engine: name, key }: SplitJob) {
  const engine = capabilities(name);
  const chosen = lengths?.(name);
  const limitMs = wholeLimit(engine, chosen?.maxMs);
  return {
    lengths: chosen ?? chunkLengths(engine),
    whole: limitMs === undefined ? undefined : { key, limitMs },
    readable: engine?.readable ?? [],
    keepChannels: engine?.input === 'reference',
  };
}

const isRepeated = ({ data, delivery }: TakenJob<SplitJob>) =>
  delivery > 1 || data.attempt > 1 || data.generation > 0;

/** True when nobody waits for this split any more: it is done, or its generation gave up on it. */
async function isSettled({ facts }: SplitDependencies, data: SplitJob): Promise<boolean> {
  const subjects = factSubjects(data.tenant_id, data.transcript_id);
  if (await facts.last(subjects.split(data.plan))) return true;
  const failure = await facts.last(subjects.gaveUp('split', data.plan, 0));
  return failure !== undefined && gaveUp.read(failure.event).generation >= data.generation;
}

/** A cut that was adopted may have been transcribed long ago; asking is cheaper than doing it again. */
async function publishChunk(
  { publisher, facts }: SplitDependencies,
  { data, traceparent }: TakenJob<SplitJob>,
  n: number,
  { key, start_ms, end_ms }: Cut,
  ours: boolean,
): Promise<void> {
  const { tenant_id, transcript_id, plan, generation, engine, lane, channels, language } = data;
  if (!ours && (await facts.last(factSubjects(tenant_id, transcript_id).chunk(plan, n)))) return;
  const what = { tenant_id, transcript_id, plan, n, generation, attempt: 1, engine, lane, channels };
  const job = { ...what, key, start_ms, end_ms, ...(language ? { language } : {}) };
  await publisher.publishFirst(chunkJob.create(job, { source: SOURCE, traceparent }));
}

async function wholeFact(
  deps: SplitDependencies,
  job: TakenJob<SplitJob>,
  ledger: CutLedger,
  { duration_ms, channels, peaks, truncated }: CutRecording,
): Promise<OutgoingMessage> {
  const { tenant_id, transcript_id, plan } = job.data;
  const peaks_key = storageKeys(tenant_id, transcript_id).peaks(plan);
  const { data, ...scale } = peaks.result();
  await deps.storage.put(peaks_key, Buffer.from(JSON.stringify({ ...scale, data: [...data] })));
  const end = truncated ? { truncated: true, ...truncated } : {};
  return splitOf(deps, job, ledger, { duration_ms, channels, peaks_key, ...end });
}

function splitOf(
  { storage }: SplitDependencies,
  { data, traceparent }: TakenJob<SplitJob>,
  { cuts }: CutLedger,
  end: Pick<Split, 'duration_ms' | 'channels' | 'peaks_key' | 'truncated' | 'code' | 'detail'>,
): Promise<OutgoingMessage> {
  const { tenant_id, transcript_id, plan, generation } = data;
  const duration_ms = Math.max(end.duration_ms, cuts.at(-1)?.end_ms ?? 0);
  const fact = { tenant_id, transcript_id, plan, generation, count: cuts.length, cuts, ...end, duration_ms };
  return boundedFact(storage, splitFact.create(fact, { source: SOURCE, traceparent }));
}

/** A failure for good after some cuts keeps what there is: the fact says that it is truncated, and why. */
async function settleSplit(
  deps: SplitDependencies,
  job: TakenJob<SplitJob>,
  ledger: CutLedger,
  error: unknown,
): Promise<Outcome> {
  const context = { signal: job.signal, isStorageAway: deps.isStorageAway };
  const outcome = await settleFailure(error, context);
  if (!isFinal(outcome, job.data.attempt, deps.maxAttempts)) return outcome;
  try {
    // A decoder that loses its file calls it damaged: believe it only of a store that is there.
    await deps.storage.ping();
    await adoptDecided(ledger, (n, cut) => publishChunk(deps, job, n, cut, false));
    const last = ledger.cuts.at(-1);
    if (!last) return outcome;
    const { code, message: detail } = toCodedError(error);
    const end = { duration_ms: last.end_ms, channels: last.channels, truncated: true, code, detail };
    return done(await splitOf(deps, job, ledger, end));
  } catch (unstored) {
    return settleFailure(unstored, context);
  }
}

function isFinal({ kind }: Outcome, attempt: number, maxAttempts: number): boolean {
  return kind === 'give_up' || (kind === 'retry' && attempt >= maxAttempts);
}
