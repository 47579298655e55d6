import type { FaultWorld } from './fault-world.ts';
import type { FullStore } from './full-store.ts';

const PIECE = Buffer.alloc(200 * 1024);

/** The account's `max_file`, used up to the last byte by somebody else's stream. */
export function accountOf(world: FaultWorld): FullStore {
  return {
    fill: async () => {
      const { api, connection } = await world.connection();
      const stream = { name: 'FILL', subjects: ['fill'], storage: 'file', retention: 'limits' };
      await api.call('STREAM.CREATE.FILL', stream);
      for (let size = PIECE.length; size > 64; ) {
        const answer = await connection.request('fill', PIECE.subarray(0, size), { timeout: 5_000 });
        if (answer.json<{ error?: object }>().error) size = Math.floor(size / 2);
      }
    },
    free: async () => {
      const { api } = await world.connection();
      await api.call('STREAM.DELETE.FILL');
    },
  };
}
