import { DURABLES, STREAMS } from '@earshot/contracts';
import { connect } from 'nats';
import { LATE_MODEL } from './read-facts.ts';

/** Of a chunk's result; that it was given up on has the stage at another place. */
const RESULT = /^transcripts\.[^.]+\.[^.]+\.chunk\./;

interface ChunkEvent {
  readonly data: { readonly model: string; readonly segments: readonly { readonly text: string }[] };
}

/**
 * Publishes results that say something else for the newest chunks that are stored, past the check that a worker asks of the broker: as a
 * worker might that took a chunk for its own long after somebody else had done it.
 */
export async function repeatResults(url: string, chunks: number): Promise<void> {
  const connection = await connect({ servers: url, timeout: 5_000, reconnect: false });
  try {
    const manager = await connection.jetstreamManager();
    const { state } = await manager.streams.info(STREAMS.transcripts);
    const { ack_floor } = await manager.consumers.info(STREAMS.transcripts, DURABLES.results);
    for (let seq = ack_floor.stream_seq, left = chunks; seq >= state.first_seq && left > 0; seq -= 1) {
      const found = await manager.streams.getMessage(STREAMS.transcripts, { seq }).catch(() => undefined);
      if (!found || !RESULT.test(found.subject)) continue;
      await connection
        .jetstream()
        .publish(found.subject, JSON.stringify(lateResult(found.json<ChunkEvent>())));
      left -= 1;
    }
  } finally {
    await connection.close();
  }
}

const lateResult = (event: ChunkEvent) => ({
  ...event,
  data: {
    ...event.data,
    model: LATE_MODEL,
    segments: event.data.segments.map((segment) => ({ ...segment, text: 'too late' })),
  },
});
