import { type Chunk, type ChunkJob, chunkFact } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { done, type FactReader, type JobHandler, type Outcome, type TakenJob } from '@earshot/jobs';
import { storageKeys } from '@earshot/storage';
import { boundedFact } from './bounded-fact.ts';
import { isClosed, isSettled } from './chunk/chunk-state.ts';
import { placeSegments } from './chunk/place-segments.ts';
import { type RunDependencies, type RunResult, runChunk } from './chunk/run-chunk.ts';
import { SOURCE } from './job-kinds.ts';
import { type FailureContext, settleFailure } from './settle-failure.ts';

/** What transcribing needs. */
export interface ChunkDependencies extends RunDependencies {
  readonly facts: FactReader;
  readonly isStorageAway: FailureContext['isStorageAway'];
  /** Who works, for the fact. */
  readonly worker: string;
}

/** Transcribes one chunk; the result is the fact `chunk`, and the first one of a plan and number stays. */
export function transcribeChunk(deps: ChunkDependencies): JobHandler<ChunkJob> {
  return async (job) => {
    try {
      return await transcribe(deps, job);
    } catch (error) {
      return settleFailure(error, { signal: job.signal, isStorageAway: deps.isStorageAway });
    }
  };
}

async function transcribe(deps: ChunkDependencies, job: TakenJob<ChunkJob>): Promise<Outcome> {
  const { data } = job;
  if (mayBeSettled(deps, job) && (await isSettled(deps.facts, data))) return done();
  const result = await runChunk(deps, job);
  if (!result) return withoutChunk(deps.facts, data);
  const fact = chunkFact.create(factData(deps, data, result), {
    source: SOURCE,
    traceparent: job.traceparent,
  });
  return done(await boundedFact(deps.storage, fact));
}

/**
 * A first delivery is rarely of a settled chunk, and asking costs more than running it again: unless it was sent round again,
 * where a copy may come when all is done, or running costs money.
 */
function mayBeSettled({ engine }: ChunkDependencies, { data, delivery }: TakenJob<ChunkJob>): boolean {
  const again = delivery > 1 || data.attempt > 1 || data.generation > 0;
  return again || engine.info.capabilities.billing !== 'free';
}

/** The objects of chunks are deleted when all is done: a late copy of a job finds none. */
async function withoutChunk(facts: FactReader, data: ChunkJob): Promise<Outcome> {
  if ((await isSettled(facts, data)) || (await isClosed(facts, data))) return done();
  throw new CodedError('missing_object', `the audio of chunk ${data.n} is not in storage`);
}

/** An engine that hears each chunk by itself counts its speakers anew: `1` of another chunk is another `1`. */
function voiceOf({ speaker }: { speaker: string | null }, job: ChunkJob): string | null {
  const isChunk = job.key.startsWith(`${storageKeys(job.tenant_id, job.transcript_id).prefix}chunks/`);
  return speaker !== null && isChunk ? `${job.n + 1}-${speaker}` : speaker;
}

function factData({ engine, worker }: ChunkDependencies, job: ChunkJob, result: RunResult): Chunk {
  const { tenant_id, transcript_id, plan, n, generation, attempt, start_ms, end_ms } = job;
  const sum = (key: 'speech_ms' | 'transcribed_ms') =>
    Math.round(result.heard.reduce((total, heard) => total + heard[key], 0));
  return {
    ...{ tenant_id, transcript_id, plan, n, generation, attempt, start_ms, end_ms },
    engine: engine.info.name,
    model: engine.info.model,
    language: job.language ?? onlyLanguage(engine),
    segments: placeSegments(result.segments, job).map((segment) => ({
      ...segment,
      speaker: voiceOf(segment, job),
    })),
    speech_ms: sum('speech_ms'),
    transcribed_ms: sum('transcribed_ms'),
    worker,
    engine_ms: result.engine_ms,
    ...(result.billed_ms === undefined ? {} : { billed_ms: result.billed_ms }),
  };
}

function onlyLanguage({ info }: ChunkDependencies['engine']): string | null {
  const { languages } = info.capabilities;
  return languages !== 'any' && languages.length === 1 ? (languages[0] ?? null) : null;
}
