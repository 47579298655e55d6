import { factsOf } from './facts.ts';
import { resultsFixture } from './fixture.ts';

/**
 * Facts a second through the handler of one process, over a real PostgreSQL that syncs each commit:
 * `node --conditions=@earshot/source --import tsx services/results/test/figures.ts`
 */
const RECORDINGS = 500;
const CHUNKS = 6;
const BATCH = 200;
const text = 'and so the story goes on for about a minute of speech with some words in it '.repeat(10);

const results = await resultsFixture();
const { handle } = results.replica();
const messages = Array.from({ length: RECORDINGS }, () => factsOf()).flatMap((one) => [
  one.accepted(),
  one.split(CHUNKS),
  ...Array.from({ length: CHUNKS }, (_, n) => one.chunk(n, text.trim())),
]);
await handle([factsOf().accepted()]);
const started = performance.now();
for (let at = 0; at < messages.length; at += BATCH) await handle(messages.slice(at, at + BATCH));
const seconds = (performance.now() - started) / 1000;
const [row] = await results.query<{ count: number }>(
  "SELECT count(*) FROM transcripts WHERE status = 'completed'",
);
process.stdout.write(
  `${messages.length} facts, ${row?.count} transcripts completed, ${seconds.toFixed(2)} s: ${Math.round(messages.length / seconds)} facts/s\n`,
);
await results.close();
