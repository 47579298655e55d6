import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { ObjectStorage } from '../object-storage.ts';

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
  });
}
