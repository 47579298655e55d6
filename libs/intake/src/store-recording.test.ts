import { createHash } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { CodedError } from '@earshot/domain';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Faults } from '../test/fake-broker.ts';
import { allKeys, codeOf, openWorld, uploadOf } from '../test/intake-world.ts';
import { readManifest, storeRecording, submitRecording, transcriptId, writeTombstone } from './index.ts';

const BYTES = Buffer.alloc(100_000, 'sound');

describe('storeRecording', () => {
  let world: Awaited<ReturnType<typeof openWorld>>;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world.close());

  const events = () => world.broker.on('uploads.*');

  it('makes bytes, manifest and upload event, in this order', async () => {
    const faults = new Faults();
    const deps = { ...world.deps, storage: faults.wrap(world.storage), publisher: faults.wrap(world.broker) };
    const stored = await storeRecording(
      uploadOf(BYTES, { given: { language: 'en', priority: 'high' } }),
      deps,
    );
    expect(faults.calls).toEqual(['put', 'create', 'publish']);
    expect(stored).toEqual({ id: transcriptId('acme', 'earshot/http', 'key-1'), warnings: [] });
    const manifest = await readManifest(world.storage, 'acme', stored.id);
    expect(manifest).toMatchObject({
      size_bytes: BYTES.length,
      sha256: createHash('sha256').update(BYTES).digest('hex'),
      engine: 'sherpa',
      lane: 'high',
      channels: 'auto',
      options: { language: 'en', priority: 'high' },
    });
    const uri = (manifest as { uri: string }).uri;
    expect(uri).toMatch(new RegExp(`^acme/${stored.id}/bytes/`));
    expect(await world.storage.read(uri)).toEqual(BYTES);
    expect(events()).toMatchObject([
      {
        subject: 'uploads.acme',
        event: { source: 'earshot/http', id: 'key-1', data: { uri, language: 'en', priority: 'high' } },
      },
    ]);
  });

  it('answers a repeat alike, publishes the event again and keeps one object', async () => {
    const first = await storeRecording(uploadOf(BYTES, { given: { metadata: { a: 1, b: 2 } } }), world.deps);
    const again = await storeRecording(uploadOf(BYTES, { given: { metadata: { b: 2, a: 1 } } }), world.deps);
    expect(again).toEqual(first);
    expect(events()).toHaveLength(2);
    expect(events()[1]?.event).toEqual(events()[0]?.event);
    expect(await allKeys(world.storage)).toHaveLength(2);
  });

  it.each([
    ['other bytes', uploadOf(Buffer.from('other'))],
    ['other options', uploadOf(BYTES, { given: { language: 'de' } })],
  ])('refuses the same key with %s', async (_, second) => {
    await storeRecording(uploadOf(BYTES), world.deps);
    expect(await codeOf(storeRecording(second, world.deps))).toBe('idempotency_conflict');
    expect(await allKeys(world.storage)).toHaveLength(2);
    expect(events()).toHaveLength(1);
  });

  it('keeps keys of tenants apart, and requests without a key', async () => {
    const ids = [
      await storeRecording(uploadOf(BYTES), world.deps),
      await storeRecording(uploadOf(Buffer.from('other'), { tenant: 'umbrella' }), world.deps),
      await storeRecording(uploadOf(BYTES, { key: undefined }), world.deps),
      await storeRecording(uploadOf(BYTES, { key: undefined }), world.deps),
    ].map(({ id }) => id);
    expect(new Set(ids).size).toBe(4);
    expect((await allKeys(world.storage)).filter((key) => key.startsWith('umbrella/'))).toHaveLength(2);
  });

  it('lets 20 concurrent requests with one key end as one recording', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => storeRecording(uploadOf(BYTES), world.deps)),
    );
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    const keys = await allKeys(world.storage);
    expect(keys).toHaveLength(2);
    const manifest = await readManifest(world.storage, 'acme', answers[0]?.id ?? '');
    expect(keys).toContain((manifest as { uri: string }).uri);
    expect(new Set(events().map(({ event }) => JSON.stringify(event.data))).size).toBe(1);
  });

  it('survives a crash at every step: a repeat finishes, nothing is lost and nothing is left over', async () => {
    for (let call = 1; ; call += 1) {
      for (const when of ['before', 'after'] as const) {
        const here = await openWorld();
        const faults = new Faults({ call, when });
        const deps = {
          ...here.deps,
          storage: faults.wrap(here.storage),
          publisher: faults.wrap(here.broker),
        };
        const failed = await codeOf(storeRecording(uploadOf(BYTES), deps));
        const answer = await storeRecording(uploadOf(BYTES), here.deps);
        const manifest = await readManifest(here.storage, 'acme', answer.id);
        const uri = (manifest as { uri: string }).uri;
        const named = here.broker.on('uploads.acme').map(({ event }) => (event.data as { uri: string }).uri);
        expect(new Set(named)).toEqual(new Set([uri]));
        expect(await here.storage.read(uri)).toEqual(BYTES);
        // A process that dies right after `put` cannot clean up; one that only sees an error does.
        if (!(call === 1 && when === 'after')) expect(await allKeys(here.storage)).toHaveLength(2);
        await here.close();
        if (failed === 'none') {
          expect(call).toBeGreaterThan(3);
          return;
        }
      }
    }
  });

  it.each([
    ['an empty body', Readable.from([]), 'empty_file'],
    ['a refused beginning', Readable.from([Buffer.alloc(5, 'X'), Buffer.alloc(50_000)]), 'not_audio'],
    ['a body above the limit', Readable.from([BYTES, Buffer.alloc(10_000_000)]), 'too_large'],
    ['a broken body', broken(), 'invalid_request'],
  ])('refuses %s and leaves nothing', async (_, body, code) => {
    const sniff = (first: Uint8Array) => (first[0] === 0x58 ? new CodedError('not_audio') : undefined);
    expect(await codeOf(storeRecording(uploadOf(body, { sniff }), world.deps))).toBe(code);
    expect(body.destroyed).toBe(true);
    expect(await allKeys(world.storage)).toEqual([]);
    expect(events()).toEqual([]);
  });

  it('shows the first 16 KB to sniff before anything is written, however they arrive', async () => {
    const seen: number[] = [];
    const faults = new Faults();
    const sniff = (first: Uint8Array) => {
      expect(faults.calls.splice(0)).toEqual([]);
      seen.push(first.length);
      return undefined;
    };
    const deps = { ...world.deps, storage: faults.wrap(world.storage) };
    const drip = Readable.from(
      Array.from({ length: 100 }, (_, i) => BYTES.subarray(i * 1000, i * 1000 + 1000)),
    );
    for (const [key, body] of [drip, BYTES, Buffer.from('tiny')].entries()) {
      await storeRecording(uploadOf(body, { sniff, key: `k${key}` }), deps);
      faults.calls = [];
    }
    expect(seen).toEqual([16_384, 16_384, 4]);
  });

  it.each([
    [{ priority: 'urgent' }, 'invalid_request'],
    [{ metadata: { big: 'x'.repeat(17_000) } }, 'invalid_request'],
    [{ engine: 'none-such' }, 'unknown_engine'],
  ])('refuses the options %o after the bytes and leaves nothing', async (given, code) => {
    expect(await codeOf(storeRecording(uploadOf(BYTES, { given }), world.deps))).toBe(code);
    expect(await allKeys(world.storage)).toEqual([]);
  });

  it('leaves nothing when the client goes away in mid-body', async () => {
    const body = new PassThrough();
    const storing = codeOf(storeRecording(uploadOf(body), world.deps));
    body.write(BYTES);
    body.destroy(new Error('aborted'));
    expect(await storing).toBe('invalid_request');
    expect(await allKeys(world.storage)).toEqual([]);
  });

  it('does not bring a deleted transcript back', async () => {
    const { id } = await storeRecording(uploadOf(BYTES), world.deps);
    await writeTombstone(world.storage, 'acme', id, new Date());
    expect(await codeOf(storeRecording(uploadOf(BYTES), world.deps))).toBe('gone');
    expect(events()).toHaveLength(1);
  });

  it('warns of what it will not do', async () => {
    const given = { diarization: true, webhook_url: 'https://x.test/', vocabulary: [], colour: 'red' };
    const { warnings } = await storeRecording(uploadOf(BYTES, { given }), world.deps);
    expect(warnings.map(({ code, detail }) => [code, detail.split(/[: ]/)[0]])).toEqual([
      ['not_supported_yet', 'diarization'],
      ['not_supported_yet', 'webhook_url'],
      ['unknown_option', 'colour'],
    ]);
  });

  it('streams 300 MB with flat memory', async () => {
    const chunk = Buffer.alloc(64 * 1024, 1);
    const before = process.memoryUsage.rss();
    let peak = before;
    const body = Readable.from(
      (function* () {
        for (let i = 0; i < 4800; i += 1) {
          peak = Math.max(peak, process.memoryUsage.rss());
          yield Buffer.from(chunk);
        }
      })(),
    );
    await storeRecording(uploadOf(body, { maxBytes: 2 ** 40 }), world.deps);
    expect((peak - before) / 2 ** 20).toBeLessThan(60);
  });
});

describe('submitRecording', () => {
  it.each([
    ['acme/in/a.wav', 'none'],
    ['other/in/a.wav', 'forbidden_key'],
    ['acme/../other/a.wav', 'forbidden_key'],
    ['/etc/passwd', 'forbidden_key'],
    ['gs://acme-uploads/a.wav', 'none'],
    ['gs://bucket/a.wav', 'forbidden_bucket'],
    ['gs://acme-uploads/a/../../x', 'forbidden_key'],
    ['https://x.test/a.wav', 'unsupported_uri'],
    ['file:///etc/passwd', 'unsupported_uri'],
    ['', 'invalid_request'],
  ])('answers the address %s with %s', async (uri, code) => {
    const world = await openWorld();
    expect(await codeOf(submitRecording({ tenant: 'acme', key: 'k', given: { uri } }, world.deps))).toBe(
      code,
    );
    expect(await allKeys(world.storage)).toHaveLength(code === 'none' ? 1 : 0);
    expect(world.broker.messages).toHaveLength(code === 'none' ? 1 : 0);
    await world.close();
  });

  it('is idempotent per key and refuses another address under it', async () => {
    const world = await openWorld();
    const submit = (uri: string) => submitRecording({ tenant: 'acme', key: 'k', given: { uri } }, world.deps);
    expect(await submit('acme/a.wav')).toEqual(await submit('acme/a.wav'));
    expect(await codeOf(submit('acme/b.wav'))).toBe('idempotency_conflict');
    await world.close();
  });
});

function broken(): Readable {
  return Readable.from(
    (async function* () {
      yield BYTES;
      throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    })(),
  );
}
