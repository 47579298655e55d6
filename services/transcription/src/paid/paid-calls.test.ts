import type { ChunkJob } from '@earshot/contracts';
import type { BlindCall } from '@earshot/engine';
import type { ObjectStorage } from '@earshot/storage';
import { openFileStorage } from '@earshot/storage-file';
import { tempFolder } from '@earshot/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLog } from '../../test/fakes.ts';
import { PaidCalls } from './paid-calls.ts';

let folder: Awaited<ReturnType<typeof tempFolder>>;
let storage: ObjectStorage;
beforeEach(async () => {
  folder = await tempFolder();
  storage = await openFileStorage({ root: folder.path });
});
afterEach(async () => {
  await storage.close();
  await folder.remove();
});

const place = {
  tenant_id: 'acme',
  transcript_id: 'id-1',
  plan: 1,
  n: 0,
  generation: 0,
  attempt: 1,
  key: 'k',
};
const wish = { engine: 'blind', lane: 'normal', channels: 'auto', start_ms: 0, end_ms: 1000 } as const;
const job: ChunkJob = { ...place, ...wish };
const limits = { signal: new AbortController().signal, deadlineMs: 5_000 };

const ledgerOf = (data: ChunkJob) =>
  new PaidCalls({ storage, worker: 'w-1', log: silentLog }).ledgerFor({
    ...{ job: data, engine: data.engine, limits, audioMs: 1000 },
    onBilled: () => {},
  });

function callThat(say: () => string): BlindCall<string> & { made: number } {
  const call = {
    billing: 'blind' as const,
    made: 0,
    call: async () => {
      call.made += 1;
      return { result: say() };
    },
  };
  return call;
}

it('keeps a result of any size for whoever comes next', async () => {
  const call = callThat(() => 'x'.repeat(9_000_000));
  await ledgerOf(job).pay(call);
  expect(await ledgerOf(job).pay(call)).toHaveLength(9_000_000);
  expect(call.made).toBe(1);
});

it('keeps chunks, plans and engines apart', async () => {
  const call = callThat(() => `call ${call.made}`);
  const others = [job, { ...job, n: 1 }, { ...job, plan: 2 }, { ...job, engine: 'other' }];
  for (const other of others) await ledgerOf(other).pay(call);
  expect(await ledgerOf(job).pay(call)).toBe('call 1');
  expect(call.made).toBe(4);
});

it('does not let an engine pay twice in one run: the second result would be the first one', async () => {
  const ledger = ledgerOf(job);
  const call = callThat(() => 'text');
  await ledger.pay(call);
  await expect(ledger.pay(call)).rejects.toMatchObject({ code: 'internal' });
  expect(call.made).toBe(1);
});

it('is not misled by an object that it did not write', async () => {
  await storage.create('acme/id-1/calls/1-0-blind-1/done', Buffer.from('{"text": "?"}'));
  const call = callThat(() => 'text');
  await expect(ledgerOf(job).pay(call)).rejects.toMatchObject({ code: 'storage_error' });
  expect(call.made).toBe(0);
});
