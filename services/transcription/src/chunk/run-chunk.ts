import type { ChunkJob } from '@earshot/contracts';
import { toCodedError } from '@earshot/domain';
import type { EngineInput, PaidCallLedger } from '@earshot/engine';
import type { TakenJob } from '@earshot/jobs';
import type { TaskLimits } from '../children/task-limits.ts';
import type { EngineRunner } from '../engine-runner.ts';
import type { PaidCalls } from '../paid/paid-calls.ts';
import type { RecordingPlaces } from '../recording-places.ts';
import type { EngineResult } from '../run-engine.ts';
import { inEngineSpan } from '../trace/engine-span.ts';
import { inSpan } from '../trace/in-span.ts';
import { checkedLedger } from './checked-ledger.ts';
import { readChunk } from './read-chunk.ts';
import { storedChunk } from './stored-chunk.ts';
import { wishesOf } from './wishes.ts';

/** What running a chunk needs. */
export interface RunDependencies extends RecordingPlaces {
  readonly engine: Pick<EngineRunner, 'info' | 'run'>;
  readonly paidCalls: PaidCalls;
  /** No chunk may take longer, however long its audio is. */
  readonly taskTimeLimitMs: number;
}

/** What an engine made of a chunk, and what that cost in milliseconds of audio; undefined when it cost nothing. */
export interface RunResult extends EngineResult {
  readonly billed_ms: number | undefined;
}

type Guard = (ledger: PaidCallLedger) => PaidCallLedger;

/** Gives a chunk to the engine, in the way in which it takes sound; undefined when the chunk's object is gone. */
export function runChunk(deps: RunDependencies, job: TakenJob<ChunkJob>): Promise<RunResult | undefined> {
  return deps.engine.info.capabilities.input === 'reference'
    ? runOnStored(deps, job)
    : runOnSamples(deps, job);
}

async function runOnSamples(deps: RunDependencies, job: TakenJob<ChunkJob>): Promise<RunResult | undefined> {
  const input = await inSpan('decode', {}, () => readChunk(deps.storage, job.data));
  return input && run(deps, job, input, (ledger) => ledger);
}

/** A vendor that has the sound already needs the object no more: only a new call looks whether it is there. */
async function runOnStored(deps: RunDependencies, job: TakenJob<ChunkJob>): Promise<RunResult | undefined> {
  const { input, check } = await storedChunk(deps, job.data);
  try {
    return await run(deps, job, input, (ledger) => checkedLedger(ledger, check));
  } catch (error) {
    if (toCodedError(error).code === 'missing_object') return undefined;
    throw error;
  }
}

async function run(
  { engine, storage, paidCalls, taskTimeLimitMs }: RunDependencies,
  { data, signal }: TakenJob<ChunkJob>,
  input: EngineInput,
  guard: Guard,
): Promise<RunResult> {
  const { name, capabilities } = engine.info;
  const options =
    capabilities.billing === 'free' ? { language: data.language } : await wishesOf(storage, data);
  const limits = { signal, deadlineMs: deadlineOf(input, taskTimeLimitMs) };
  let billed_ms: number | undefined;
  const onBilled = (ms: number) => {
    billed_ms = (billed_ms ?? 0) + ms;
  };
  const work = { job: data, engine: name, audioMs: soundOf(input), onBilled };
  const ledgerFor = (bounds: TaskLimits) => guard(paidCalls.ledgerFor({ ...work, limits: bounds }));
  const result = await inEngineSpan(engine.info, input, () =>
    engine.run(input, options, { ...limits, ledgerFor }),
  );
  return { ...result, billed_ms };
}

const soundOf = ({ channels, stored, duration_ms }: EngineInput) =>
  (stored?.channels.length ?? channels.length) * duration_ms;

/** A hung engine must not hold a slot for hours: a minute, and five times as long as the sound lasts. */
export function deadlineOf(input: EngineInput, limitMs: number): number {
  return Math.min(limitMs, 60_000 + 5 * soundOf(input));
}
