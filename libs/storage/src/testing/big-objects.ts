import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { ObjectStorage } from '../object-storage.ts';
import { codeOf, keys, stream } from './bytes.ts';

const CHUNK = 256 * 1024;
const CHUNKS = 800;
/** A quarter of the object: buffering it whole cannot hide below this. */
const MEMORY_BUDGET = 50 * 1024 * 1024;

/** Objects larger than what may be held in memory. */
export function bigObjects(storage: () => ObjectStorage): void {
  describe('a large object', () => {
    it('streams 200 MiB in and out with flat memory', async () => {
      const chunk = Buffer.alloc(CHUNK, 7);
      const sent = createHash('sha256');
      const before = process.memoryUsage.rss();
      let peak = before;
      const body = Readable.from(
        (function* () {
          for (let i = 0; i < CHUNKS; i += 1) {
            chunk.writeUInt32LE(i);
            sent.update(chunk);
            peak = Math.max(peak, process.memoryUsage.rss());
            yield Buffer.from(chunk);
          }
        })(),
      );
      const info = await storage().put('t/large', body);
      const got = createHash('sha256');
      for await (const part of await storage().get('t/large')) {
        got.update(part as Buffer);
        peak = Math.max(peak, process.memoryUsage.rss());
      }
      expect(info.size_bytes).toBe(CHUNK * CHUNKS);
      expect(got.digest('hex')).toBe(sent.digest('hex'));
      expect(peak - before).toBeLessThan(MEMORY_BUDGET);
    });

    it.each(['put', 'create'] as const)(
      'shows nothing of a %s that breaks off after 20 MiB',
      async (method) => {
        const failure = Object.assign(new Error('client went away'), { code: 'ECONNRESET' });
        const body = stream(parts(80), failure);
        await expect(storage()[method]('t/large', body)).rejects.toBe(failure);
        expect(body.destroyed).toBe(true);
        expect(await codeOf(storage().get('t/large'))).toBe('missing_object');
        expect(await keys(storage(), '')).toEqual([]);
      },
    );

    it('is created only where none is, also when it comes in pieces', async () => {
      expect(await storage().create('t/large', stream(parts(80)))).toBe(true);
      const first = await storage().stat('t/large');
      expect(first?.size_bytes).toBe(80 * CHUNK);
      expect(await storage().create('t/large', stream(parts(81)))).toBe(false);
      expect(await storage().create('t/large', Buffer.alloc(81 * CHUNK))).toBe(false);
      expect(await storage().stat('t/large')).toEqual(first);
    });

    it('is read from the middle without what lies before', async () => {
      await storage().put('t/large', stream(parts(80)));
      const start = 79 * CHUNK;
      const read: Buffer[] = [];
      for await (const part of await storage().get('t/large', { start, end: start + 3 }))
        read.push(part as Buffer);
      expect(Buffer.concat(read).readUInt32LE()).toBe(79);
    });
  });
}

/** Parts of a quarter MiB, each with its number at its start. */
function* parts(count: number): Generator<Buffer> {
  for (let i = 0; i < count; i += 1) {
    const part = Buffer.alloc(CHUNK, 7);
    part.writeUInt32LE(i);
    yield part;
  }
}
