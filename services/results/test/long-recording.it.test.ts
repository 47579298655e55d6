import type { Transcript } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database, Transaction } from '../src/store/database.ts';
import { factsOf } from './facts.ts';
import { type ResultsFixture, resultsFixture, routesFixture } from './fixture.ts';

/** Ten hours in chunks of a minute. */
const CHUNKS = 600;
const WORDS_A_CHUNK = 150;
const textOf = (n: number) => Array.from({ length: WORDS_A_CHUNK }, (_, at) => `word${n}-${at}`).join(' ');

/** A database that notes the bytes each statement brings. */
function measured(database: Database): { database: Database; brought: number[] } {
  const brought: number[] = [];
  const watch = (tx: Transaction) => ({
    query: async (...args: Parameters<Transaction['query']>) => {
      const result = (await tx.query(...args)) as unknown as { rows: object[] };
      brought.push(JSON.stringify(result.rows).length);
      return result;
    },
  });
  return {
    brought,
    database: {
      ...database,
      write: (work) => database.write((tx) => work(watch(tx) as Transaction)),
      read: (work) => database.read((tx) => work(watch(tx) as Transaction)),
    },
  };
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

const facts = factsOf();
const text = Array.from({ length: CHUNKS }, (_, n) => textOf(n)).join(' ');
let results: ResultsFixture;
beforeAll(async () => {
  results = await resultsFixture();
  const { handle } = results.replica();
  await handle([facts.accepted(), facts.split(CHUNKS)]);
  for (let n = 1; n < CHUNKS; n += 100) {
    const batch = Array.from({ length: Math.min(100, CHUNKS - n) }, (_, at) => n + at);
    await handle(batch.map((one) => facts.chunk(one, textOf(one))));
  }
});
afterAll(() => results?.close());

it('finishes ten hours of speech without a word of its chunks, only with what they said', async () => {
  const { database, brought } = measured(results.database);
  await results.replica({ database }).handle([facts.chunk(0, textOf(0))]);
  const [row] = await results.query<{ status: string; text: string }>(
    'SELECT status, text FROM transcripts WHERE id = $1',
    [facts.id],
  );
  expect(row).toEqual({ status: 'completed', text });
  expect(sum(brought)).toBeLessThan(1.5 * text.length);
});

it('hands out the words of ten hours page by page', async () => {
  const { database, brought } = measured(results.database);
  const http = await routesFixture({ ...results, database });
  const { body } = await http.get(`/v1/transcripts/${facts.id}`);
  const { segments, utterances, ...transcript }: Transcript = JSON.parse(body);
  expect(transcript).toMatchObject({ text, progress: { ratio: 1, chunks_done: CHUNKS } });
  expect(segments).toHaveLength(CHUNKS);
  expect(utterances).toHaveLength(1);
  expect(utterances[0]?.words).toEqual(segments.flatMap(({ words }) => words));
  expect(utterances[0]?.words).toHaveLength(CHUNKS * WORDS_A_CHUNK);
  const subtitles = await http.get(`/v1/transcripts/${facts.id}.srt`);
  expect(subtitles.body).toContain(`word${CHUNKS - 1}-${WORDS_A_CHUNK - 1}`);
  // The whole is held only as text: a twentieth of the document, which has every word twice, with times.
  expect(Math.max(...brought)).toBeLessThan(body.length / 10);
  await http.server.close();
});

it('answers with a problem, not with half a document, when the words cannot be read', async () => {
  const refuse = (tx: Transaction) => ({
    query: (...args: Parameters<Transaction['query']>) => {
      if (String(args[0]).startsWith('SELECT segments')) throw new CodedError('unavailable');
      return tx.query(...args);
    },
  });
  const database: Database = {
    ...results.database,
    read: (work) => results.database.read((tx) => work(refuse(tx) as Transaction)),
  };
  const http = await routesFixture({ ...results, database });
  for (const rest of ['', '.json', '.srt']) {
    const { statusCode, json } = await http.get(`/v1/transcripts/${facts.id}${rest}`);
    expect([statusCode, json().code]).toEqual([503, 'unavailable']);
  }
  await http.server.close();
});
