import type { ChunkJob } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { EngineInput, LookupCall, SpeechEngine } from '@earshot/engine';
import { openFileStorage } from '@earshot/storage-file';
import { eventually, tempFolder } from '@earshot/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../test/fakes.ts';
import { CallPostponed } from '../budget/call-postponed.ts';
import type { TaskLimits } from '../children/task-limits.ts';
import type { EngineRunner } from '../engine-runner.ts';
import { PaidCalls } from '../paid/paid-calls.ts';
import { EngineGuard, GuardedEngine, startGuardedEngine } from './guarded-engine.ts';

/** A vendor that is away, then has one operation that runs for as long as a test wants. */
class Vendor {
  away = true;
  running = true;

  readonly call: LookupCall<string> = {
    billing: 'lookup',
    call: async () => this.#answer({ operation: 'op-1' }),
    find: async () => this.#answer('op-1'),
    poll: async () =>
      this.#answer(this.running ? { state: 'running' as const } : { state: 'done' as const, result: 'text' }),
    cancel: async () => {},
  };

  readonly engine: SpeechEngine = {
    name: 'e',
    model: 'm',
    capabilities: {
      ...{ languages: 'any', wordTimes: 'none', diarization: false, wholeRecording: false, input: 'samples' },
      ...{ maxChunkMs: 60_000, runs: 'parent', billing: 'lookup' },
    },
    transcribe: (_input, _options, { ledger }) => this.#transcribe(() => ledger.pay(this.call)),
    close: async () => {},
  };

  async *#transcribe(pay: () => Promise<string>) {
    yield { start_ms: 0, end_ms: 1000, text: await pay(), channel: 0, speaker: null, words: [] };
  }

  #answer<T>(answer: T): T {
    if (this.away) throw new CodedError('unavailable', 'the vendor does not answer');
    return answer;
  }
}

const place = {
  tenant_id: 'acme',
  transcript_id: 'id-1',
  plan: 1,
  n: 0,
  generation: 0,
  attempt: 1,
  key: 'k',
};
const job: ChunkJob = { ...place, engine: 'e', lane: 'normal', channels: 'auto', start_ms: 0, end_ms: 1000 };

it('takes all its work again as soon as a paid operation is seen to run, however long it takes', async () => {
  const folder = await tempFolder();
  const storage = await openFileStorage({ root: folder.path });
  onTestFinished(async () => {
    await storage.close();
    await folder.remove();
  });
  const vendor = new Vendor();
  const entry = { runs: 'parent' as const, load: async () => vendor.engine };
  const settings = { model: { encoder: '', decoder: '', tokens: '', vad: '' } };
  const children = { size: 1, maxTasksPerChild: 1, environment: {} };
  const guarded = await startGuardedEngine('e', entry, settings, children, silentLog, async () => false);
  onTestFinished(() => guarded.close());
  const times = { lookEveryMs: 10, pollEveryMs: 10, neverArrivedMs: 60_000 };
  const paidCalls = new PaidCalls({ storage, worker: 'w-1', times, log: silentLog });
  const run = () => {
    const ledgerFor = (limits: TaskLimits) =>
      paidCalls.ledgerFor({ job, engine: 'e', audioMs: 1000, limits, onBilled: () => {} });
    const bounds = { signal: new AbortController().signal, deadlineMs: 60_000, ledgerFor };
    const input: EngineInput = { channels: [], duration_ms: 1000 };
    return guarded.run(input, {}, bounds);
  };
  for (let count = 0; count < 3; count += 1) {
    await expect(run()).rejects.toMatchObject({ code: 'unavailable' });
  }
  await eventually('a try', () => guarded.circuit === 'half_open');
  vendor.away = false;
  const result = run();
  await eventually('the circuit to close', () => guarded.circuit === 'closed');
  vendor.running = false;
  expect((await result).segments).toMatchObject([{ text: 'text' }]);
});

it.each([
  [true, 'takes nothing for a while once the budget of all is used up, and is not called down for that'],
  [false, 'goes on for others when it is one tenant’s budget'],
])('forAll %s: %s', async (forAll) => {
  const over = async () => Promise.reject(new CallPostponed('the budget is used up', 300, forAll));
  const { capabilities } = new Vendor().engine;
  const runner: EngineRunner = {
    ...{ info: { name: 'e', model: 'm', capabilities }, run: over, restart: async () => {} },
    ...{ memoryBytes: () => 0, close: async () => {} },
  };
  const guarded = new GuardedEngine(runner, new EngineGuard('e', async () => false, silentLog));
  onTestFinished(() => guarded.close());
  let open = true;
  const noLoop = { stop: async () => {}, active: () => 0, idle: async () => {}, limit: () => {} };
  guarded.valve.attach({ ...noLoop, pause: () => (open = false), resume: () => (open = true) });
  const bounds = {
    signal: new AbortController().signal,
    deadlineMs: 1_000,
    ledgerFor: () => ({ pay: over }),
  };
  await expect(guarded.run({ channels: [], duration_ms: 1 }, {}, bounds)).rejects.toBeInstanceOf(
    CallPostponed,
  );
  expect(open).toBe(!forAll);
  expect([guarded.circuit, guarded.quotaUntil]).toEqual(['closed', undefined]);
  await eventually('the loop to be open again', () => open);
});
