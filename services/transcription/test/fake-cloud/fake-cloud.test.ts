import { once } from 'node:events';
import { connect } from 'node:net';
import { eventually } from '@earshot/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Fault, healthy } from './behaviour.ts';
import { type FakeCloudProcess, startFakeCloud } from './launch.ts';
import type { OperationAnswer } from './operations.ts';
import { spokenText } from './spoken-text.ts';
import { vendorRequest } from './vendor-request.ts';

let cloud: FakeCloudProcess;
beforeAll(async () => {
  cloud = await startFakeCloud();
});
afterAll(() => cloud.dispose());
beforeEach(() => cloud.behave(healthy));

const channels = [{ channel: 0, audio: 'abc' }];
const never = new AbortController().signal;
const post = (path: string, key: string, signal: AbortSignal = never) =>
  vendorRequest(`${cloud.url}${path}`, signal, {
    method: 'POST',
    body: { key, language: 'en', channels, audio_ms: 1_500 },
  });
const get = async <T>(path: string) => (await vendorRequest(`${cloud.url}${path}`, never)).body as T;
const find = async (key: string) =>
  (await get<{ operations: string[] }>(`/operations?output_uri=${key}`)).operations;
const billed = async (key: string) => (await cloud.bill()).filter((line) => line.key === key).length;
const place = async (key: string) => ((await post('/calls', key)).body as { operation: string }).operation;

describe('the vendor of the tests', () => {
  it('takes money for every call, also for the same one', async () => {
    const names = [await place('twice'), await place('twice')];
    expect(new Set(names).size).toBe(2);
    expect(await billed('twice')).toBe(2);
    const bill = (await cloud.bill()).filter(({ key }) => key === 'twice');
    expect(bill.map(({ billed_ms }) => billed_ms)).toEqual([2_000, 2_000]);
  });

  it('runs an operation to the text that audio and language give', async () => {
    await cloud.behave({ operation_ms: 60_000 });
    const name = await place('a');
    expect(await get(`/operations/${name}`)).toEqual({ state: 'running' });
    await cloud.behave({ operation_ms: 0 });
    const ended = await eventually('the end', async () => {
      const answer = await get<OperationAnswer>(`/operations/${name}`);
      return answer.state !== 'running' && answer;
    });
    expect(ended).toEqual({ state: 'done', result: spokenText(channels, 'en'), billed_ms: 2_000 });
    expect(spokenText(channels, 'de')).not.toEqual(spokenText(channels, 'en'));
  });

  it('shows an operation to a search only after a while', async () => {
    await cloud.behave({ visible_after_ms: 200 });
    const name = await place('late');
    expect(await find('late')).toEqual([]);
    await eventually('the operation to be visible', async () => (await find('late')).includes(name));
  });

  it('ends an operation that is canceled', async () => {
    await cloud.behave({ operation_ms: 60_000 });
    const name = await place('b');
    await post(`/operations/${name}/cancel`, '');
    expect(await get(`/operations/${name}`)).toMatchObject({ state: 'failed', error: { code: 'CANCELED' } });
    expect((await cloud.stats()).in_flight).toBe(0);
  });

  it.each<[Fault, unknown, number]>([
    ['refuse', { status: 400 }, 0],
    ['quota', { status: 429, retryAfterMs: 7000 }, 0],
    ['error', { status: 503 }, 0],
    ['drop', { code: 'unavailable' }, 0],
    ['lose_reply', { code: 'unavailable' }, 1],
  ])('answers %s once, as told, and charges for what arrived', async (fault, answer, charged) => {
    for (const path of ['/calls', '/transcribe']) {
      const key = `${path}-${fault}`;
      await cloud.behave({ faults: [fault], retry_after_s: 7 });
      expect(await post(path, key).catch((error: unknown) => error)).toMatchObject(answer as object);
      expect(await billed(key)).toBe(charged);
      expect(await post(path, key)).toMatchObject({ status: 200 });
    }
  });

  it.each<[Fault, number]>([
    ['hang', 0],
    ['hang_after', 1],
  ])('holds the connection on %s until the caller closes it', async (fault, charged) => {
    await cloud.behave({ faults: [fault] });
    const abort = new AbortController();
    const call = post('/transcribe', fault, abort.signal).catch(() => 'aborted');
    await eventually('the call', async () => (await cloud.stats()).in_flight === 1);
    abort.abort();
    expect(await call).toBe('aborted');
    await eventually('the connection to close', async () => (await cloud.stats()).in_flight === 0);
    expect(await billed(fault)).toBe(charged);
  });

  it('is nowhere while it is down, and back at the same address', async () => {
    const idle = connect(Number(new URL(cloud.url).port), '127.0.0.1');
    await once(idle, 'connect');
    idle.on('error', () => {});
    const cut = new Promise((resolve) => idle.once('close', resolve));
    await cloud.behave({ down: true });
    await cut;
    await expect(post('/free', 'x')).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    await cloud.behave({ down: false });
    expect(await post('/free', 'x')).toMatchObject({ status: 200 });
    expect(await billed('x')).toBe(0);
  });

  it('never transcribes sound that it was told to be poison', async () => {
    await cloud.behave({ poison: ['abc'] });
    expect(await post('/transcribe', 'poison')).toMatchObject({ status: 422 });
    const name = await place('poison');
    const ended = await eventually('the end', async () => {
      const answer = await get<OperationAnswer>(`/operations/${name}`);
      return answer.state !== 'running' && answer;
    });
    expect(ended).toMatchObject({ state: 'failed', error: { code: 'INVALID_AUDIO' } });
  });

  it('counts how many calls it has at once', async () => {
    await cloud.behave({ operation_ms: 60_000 });
    await Promise.all(['p', 'q', 'r'].map(place));
    expect(await cloud.stats()).toMatchObject({ in_flight: 3, peak_in_flight: 3, peaks: { call: 3 } });
    await cloud.behave({ operation_ms: 0 });
    await eventually('all operations to end', async () => (await cloud.stats()).in_flight === 0);
  });
});
