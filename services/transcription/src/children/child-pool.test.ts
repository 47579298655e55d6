import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EngineInput } from '@earshot/engine';
import { eventually, tempFolder } from '@earshot/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { keptLog, silentLog } from '../../test/fakes.ts';
import { type ChildPool, type ChildPoolOptions, createChildPool } from './child-pool.ts';
import { residentByPs, residentBytes } from './memory-watch.ts';

const entry = new URL('../../test/children/odd-child.ts', import.meta.url);
const pools: ChildPool[] = [];

function pool(options: Partial<ChildPoolOptions> = {}): ChildPool {
  const made = createChildPool({ engine: 'odd', settings: 'm', size: 1, entry, log: silentLog, ...options });
  pools.push(made);
  return made;
}

afterEach(async () => {
  const children = pools.flatMap((made) => made.pids());
  await Promise.all(pools.splice(0).map((made) => made.close()));
  expect(children.filter(isAlive)).toEqual([]);
});

const audio = (samples = new Int16Array([1, 2, 3])): EngineInput => ({
  channels: [{ channel: 0, samples }],
  duration_ms: 1000,
});

const run = (made: ChildPool, oddity?: string, limits: { signal?: AbortSignal; deadlineMs?: number } = {}) =>
  made.run(
    audio(),
    { language: oddity },
    { signal: new AbortController().signal, deadlineMs: 40_000, ...limits },
  );

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** A call that is known to have reached its child; rejects when it ends before. */
function begun(made: ChildPool, oddity: string, signal: AbortSignal) {
  return new Promise<{ result: Promise<unknown> }>((resolve, reject) => {
    const limits = { signal, deadlineMs: 40_000, onHeartbeat: () => resolve({ result }) };
    const result = made.run(audio(), { language: oddity }, limits);
    result.catch(reject);
  });
}

/** Never 0, which would mean the test runner's own process group. */
function onlyPid(made: ChildPool): number {
  const [pid] = made.pids();
  if (!pid) throw new Error('no child');
  return pid;
}

const pidOf = (result: { segments: readonly { text: string }[] }) =>
  Number(result.segments[0]?.text.split(' ')[0]);

describe('a healthy pool', () => {
  it('runs calls in warm children and returns segments, what was heard and the time it took', async () => {
    const made = pool({ size: 2 });
    expect(await made.ready()).toMatchObject({ name: 'odd', model: 'm', capabilities: { runs: 'child' } });
    await eventually('both are warm', () => made.pids().length === 2);
    const results = await Promise.all([run(made), run(made)]);
    expect(new Set(results.map(pidOf))).toEqual(new Set(made.pids()));
    expect(results[0]?.heard).toEqual([{ channel: 0, speech_ms: 1000, transcribed_ms: 1000 }]);
    expect(results[0]?.engine_ms).toBeGreaterThanOrEqual(0);
  });

  it('hands over exactly the samples of a view into a larger buffer', async () => {
    const view = new Int16Array(new Int16Array([100, 1, 2, 3, 100]).buffer, 2, 3);
    const result = await pool().run(
      audio(view),
      {},
      { signal: new AbortController().signal, deadlineMs: 20_000 },
    );
    expect(result.segments[0]?.text).toMatch(/ 6$/);
  });

  it('lets more calls than children wait for their turn', async () => {
    const results = await Promise.all(Array.from({ length: 5 }, () => run(pools[0] ?? pool())));
    expect(new Set(results.map(pidOf)).size).toBe(1);
  });

  it('replaces a child after its share of tasks, and has the next one warm before', async () => {
    const log = keptLog();
    const made = pool({ maxTasksPerChild: 2, log });
    const pids: number[] = [];
    for (let call = 0; call < 6; call += 1) pids.push(pidOf(await run(made)));
    expect(new Set(pids).size).toBe(3);
    expect(pids[0]).toBe(pids[1]);
    await eventually('the old ones left', () => pids.slice(0, 4).every((pid) => !isAlive(pid)));
    expect(log.lines.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it('shows its children no variable that it was not given', async () => {
    process.env.EARSHOT_TEST_SECRET = 'hunter2';
    const made = pool({ environment: { PATH: '/bin' } });
    const error = await run(made, 'secrets').catch((reason) => reason);
    delete process.env.EARSHOT_TEST_SECRET;
    expect(error.message).toContain('"OMP_NUM_THREADS":"1"');
    expect(error.message).not.toContain('hunter2');
  });
});

describe('a restart', () => {
  const never = new AbortController().signal;

  it('renews every child and resolves when all are new', async () => {
    const made = pool({ size: 2 });
    await eventually('both are warm', () => made.pids().length === 2);
    const before = made.pids();
    await Promise.all([made.restart(), made.restart()]);
    expect(made.pids()).toHaveLength(2);
    expect(made.pids().filter((pid) => before.includes(pid))).toEqual([]);
    expect(before).not.toContain(pidOf(await run(made)));
    await eventually('the old ones left', () => !before.some(isAlive));
  });

  it('lets running work end where it is, and takes calls meanwhile', async () => {
    const made = pool();
    const abort = new AbortController();
    const call = await begun(made, 'patient', abort.signal);
    const old = onlyPid(made);
    await made.restart();
    expect(isAlive(old)).toBe(true);
    expect(pidOf(await run(made))).toBe(onlyPid(made));
    abort.abort();
    await expect(call.result).rejects.toBe(abort.signal.reason);
    await eventually('the old one left', () => !isAlive(old));
  });

  it('that cannot start new children leaves the old ones at work', async () => {
    const folder = await tempFolder();
    const made = pool({ settings: join(folder.path, 'model') });
    const pid = pidOf(await run(made));
    await writeFile(join(folder.path, 'model.damaged'), '');
    await expect(made.restart()).rejects.toMatchObject({ code: 'unavailable' });
    expect(pidOf(await made.run(audio(), {}, { signal: never, deadlineMs: 40_000 }))).toBe(pid);
    await folder.remove();
  });
});

describe('a child that dies', () => {
  it.each([
    ['segfault', 'worker_crashed', /SIGSEGV/],
    ['abort', 'worker_crashed', /SIGABRT/],
    ['exit', 'worker_crashed', /exit code 7/],
    ['kernel-kill', 'out_of_memory', /SIGKILL/],
  ])('by %s costs one call, as %s', async (oddity, code, message) => {
    const made = pool();
    await expect(run(made, oddity)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(pidOf(await run(made))).toBeGreaterThan(0);
  });

  it('leaves its last words with the error, however much it wrote before', async () => {
    const error = await run(pool(), 'junk').catch((reason) => reason);
    expect(error).toMatchObject({ code: 'lost_text', class: 'transient' });
    expect(error.stderr_tail).toContain('junk line 19999');
    expect(error.stderr_tail.length).toBeLessThanOrEqual(2048);
  });

  it('is killed above the memory limit, and the others live on', async () => {
    const made = pool({ size: 2, memoryLimitMb: 220 });
    await eventually('both are warm', () => made.pids().length === 2);
    const healthy = run(made);
    await expect(run(made, 'eat-memory')).rejects.toMatchObject({
      code: 'out_of_memory',
      message: expect.stringMatching(/limit is 220 MB/),
    });
    await healthy;
  });

  it('by a leak over many calls is ended between two of them or in one, and costs no other call', async () => {
    const made = pool({ size: 2, memoryLimitMb: 220, maxTasksPerChild: 1_000 });
    await eventually('both are warm', () => made.pids().length === 2);
    const before = made.pids();
    const ends: string[] = [];
    await eventually(
      'a child to be ended',
      async () => {
        ends.push(
          await run(made, 'leak').then(
            () => 'done',
            ({ code }) => code,
          ),
        );
        return made.memoryBytes() > 0 && !before.every(isAlive);
      },
      40_000,
    );
    expect(ends.filter((end) => end !== 'done' && end !== 'out_of_memory')).toEqual([]);
    expect(ends.filter((end) => end === 'out_of_memory').length).toBeLessThanOrEqual(1);
    await run(made);
  });

  it('is killed at the deadline although it spins', async () => {
    const made = pool();
    await made.ready();
    const before = made.pids();
    await expect(run(made, 'spin', { deadlineMs: 300 })).rejects.toMatchObject({ code: 'timeout' });
    expect(before.some(isAlive)).toBe(false);
    await run(made);
  });
});

describe('an abort', () => {
  const stop = new Error('lease lost');

  it('is answered by the child, which stays', async () => {
    const made = pool();
    const abort = new AbortController();
    const call = await begun(made, 'patient', abort.signal);
    const before = made.pids();
    abort.abort(stop);
    await expect(call.result).rejects.toBe(stop);
    await run(made);
    expect(made.pids()).toEqual(before);
  });

  it('kills a child that does not answer within a second', async () => {
    const made = pool();
    await made.ready();
    const pid = onlyPid(made);
    const abort = new AbortController();
    const call = await begun(made, 'spin', abort.signal);
    const started = performance.now();
    abort.abort(stop);
    await expect(call.result).rejects.toBe(stop);
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(isAlive(pid)).toBe(false);
  });

  it('ends the wait for a free child', async () => {
    const made = pool();
    const abort = new AbortController();
    const first = run(made, 'patient', { signal: abort.signal });
    const second = run(made, 'patient', { signal: abort.signal });
    abort.abort(stop);
    await expect(first).rejects.toBe(stop);
    await expect(second).rejects.toBe(stop);
  });
});

describe('an engine that cannot start', () => {
  it.each([
    ['exit-at-start', /cannot start: the child ended with exit code 3/],
    ['throw-at-start', /cannot start: the model is damaged/],
    ['hang-at-start', /cannot start: the engine was not loaded within 1500 ms/],
  ])('says so (%s)', async (settings, message) => {
    const log = keptLog();
    const made = pool({ settings, log, loadTimeoutMs: settings === 'hang-at-start' ? 1500 : 20_000 });
    const expected = { code: 'unavailable', message: expect.stringMatching(message) };
    await expect(made.ready()).rejects.toMatchObject(expected);
    await expect(run(made)).rejects.toMatchObject(expected);
    const failures = log.lines.filter((line) => line.message === 'engine cannot start');
    expect(failures.map(({ fields }) => fields.retry_in_ms)).toEqual([250, 500, 1000]);
    if (settings === 'exit-at-start') {
      expect(failures[0]?.fields.stderr_tail).toContain('no such model: encoder.ort');
    }
  });
});

describe('the end of the parent', () => {
  it('is the end of the child, even after kill -9', async () => {
    const parent = fork(fileURLToPath(new URL('../../test/children/parent.ts', import.meta.url)), {
      execArgv: ['--conditions=@earshot/source', '--import', 'tsx'],
    });
    const [{ child }] = (await once(parent, 'message')) as [{ child: number }];
    expect(isAlive(child)).toBe(true);
    const measured = (await residentBytes(child)) ?? 0;
    expect(measured).toBeGreaterThan(10_000_000);
    // What macOS rests on, which has no /proc.
    expect((await residentByPs(child)) ?? 0).toBeGreaterThan(measured / 4);
    process.kill(child, 'SIGINT');
    process.kill(child, 'SIGTERM');
    parent.kill('SIGKILL');
    await eventually('the child left', () => !isAlive(child));
  });

  it('is not what a Ctrl-C in the terminal means to a child', async () => {
    const made = pool();
    await made.ready();
    const pid = onlyPid(made);
    process.kill(pid, 'SIGINT');
    process.kill(pid, 'SIGTERM');
    expect(pidOf(await run(made))).toBe(pid);
  });
});
