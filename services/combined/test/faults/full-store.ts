import type { FaultWorld } from './fault-world.ts';

const PIECE = Buffer.alloc(200 * 1024);

/** Uses up the account's `max_file` with a stream of somebody else, until nothing more fits. */
export async function fillBroker(world: FaultWorld): Promise<void> {
  const { api, connection } = await world.connection();
  await api.call('STREAM.CREATE.FILL', {
    name: 'FILL',
    subjects: ['fill'],
    storage: 'file',
    retention: 'limits',
  });
  for (let size = PIECE.length; size > 64; ) {
    const answer = await connection.request('fill', PIECE.subarray(0, size), { timeout: 5_000 });
    if (answer.json<{ error?: object }>().error) size = Math.floor(size / 2);
  }
}

/** Gives back what `fillBroker` took. */
export async function freeBroker(world: FaultWorld): Promise<void> {
  const { api } = await world.connection();
  await api.call('STREAM.DELETE.FILL');
}
