import { parseFactSubject, STREAMS } from '@earshot/contracts';
import { connect, type JsMsg } from 'nats';
import type { ChunkFactRecord, FinalFactRecord } from './history.ts';

/** What the stream of facts holds, in its order. */
export interface FactsRead {
  readonly chunks: readonly ChunkFactRecord[];
  readonly finals: readonly FinalFactRecord[];
}

/** Marks the results that the nemesis makes up. */
export const LATE_MODEL = 'late';

interface ChunkData {
  readonly model?: string;
  readonly segments?: readonly { readonly text: string }[];
}

const FINAL = new Set(['completed', 'partial', 'failed', 'canceled', 'deleted']);

/** Reads every fact that is in the stream now. */
export async function readFacts(url: string): Promise<FactsRead> {
  const connection = await connect({ servers: url });
  try {
    const chunks: ChunkFactRecord[] = [];
    const finals: FinalFactRecord[] = [];
    for await (const message of messagesOf(await connection.jetstream().consumers.get(STREAMS.transcripts))) {
      const { id = '', words = [] } = parseFactSubject(message.subject) ?? {};
      const { data } = message.json<{ data: ChunkData & { revision: number } }>();
      if (words[0] === 'chunk' && data.model !== LATE_MODEL)
        chunks.push({ id, plan: Number(words[1]), n: Number(words[2]), text: textOf(data) });
      if (FINAL.has(words[0] ?? '')) finals.push({ id, status: words[0] ?? '', revision: data.revision });
    }
    return { chunks, finals };
  } finally {
    await connection.close();
  }
}

interface Consumer {
  info(): Promise<{ num_pending: number }>;
  consume(): Promise<AsyncIterable<JsMsg>>;
}

async function* messagesOf(consumer: Consumer): AsyncGenerator<JsMsg> {
  if ((await consumer.info()).num_pending === 0) return;
  for await (const message of await consumer.consume()) {
    yield message;
    if (message.info.pending === 0) return;
  }
}

/** The words of a chunk, as its transcript shows them. */
export const textOf = ({ segments = [] }: ChunkData) => segments.map(({ text }) => text).join(' ');
