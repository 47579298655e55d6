import { afterAll, beforeAll, expect, it } from 'vitest';
import { factsOf } from '../../test/facts.ts';
import { log, type ResultsFixture, resultsFixture, routesFixture } from '../../test/fixture.ts';
import { openDatabase } from './database.ts';
import { migrate } from './migrate.ts';
import { withLease } from './with-lease.ts';

let results: ResultsFixture;
beforeAll(async () => {
  results = await resultsFixture();
});
afterAll(() => results.close());

it('migrates once, however many processes try at the same time', async () => {
  const [{ count } = { count: 0 }] = await results.query<{ count: number }>(
    'SELECT count(*) FROM schema_migrations',
  );
  expect(await Promise.all([1, 2, 3].map(() => migrate(results.server.url)))).toEqual([[], [], []]);
  await results.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  const applied = await Promise.all([1, 2, 3].map(() => migrate(results.server.url)));
  expect(applied.flat()).toHaveLength(count);
});

it('rolls back whatever a failing transaction wrote', async () => {
  const { id } = factsOf();
  const failing = results.database.write(async (tx) => {
    await tx.query("INSERT INTO transcripts (id, tenant_id) VALUES ($1, 'default')", [id]);
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(await results.query('SELECT FROM transcripts WHERE id = $1', [id])).toEqual([]);
});

it('reads from one view, and never writes while reading', async () => {
  const writing = results.database.read((tx) => tx.query("INSERT INTO marks (name) VALUES ('x')"));
  await expect(writing).rejects.toMatchObject({ code: '25006' });
});

it('ends a statement that takes too long', async () => {
  const hasty = openDatabase({ url: results.server.url, log, readTimeoutMs: 50 });
  const slow = hasty.read((tx) => tx.query('SELECT pg_sleep(10)'));
  await expect(slow).rejects.toMatchObject({ code: 'unavailable' });
  await hasty.close();
});

it('lets one holder of a lease work, and the next one when it is given back or has run out', async () => {
  const lease = { name: 'test', holder: 'a', ttlMs: 60_000 };
  const other = { ...lease, holder: 'b' };
  const inside = await withLease(results.database, lease, async ({ renew }) => {
    expect(await withLease(results.database, other, async () => 'b')).toBeUndefined();
    expect(await renew()).toBe(true);
    await results.query("UPDATE marks SET expires_at = now() - interval '1 second' WHERE name = 'test'");
    const taken = await withLease(results.database, other, async () => {
      expect(await renew()).toBe(false);
      return 'b';
    });
    return ['a', taken];
  });
  expect(inside).toEqual(['a', 'b']);
  expect(await withLease(results.database, other, async () => 'b again')).toBe('b again');
});

it('survives a crash of PostgreSQL: 503 at once, nothing lost, then on as before', async () => {
  const facts = factsOf();
  const { get, server } = await routesFixture(results);
  const { handle } = results.replica();
  await handle([facts.accepted(), facts.split(1)]);
  await results.server.kill();
  const down = await get(`/v1/transcripts/${facts.id}`);
  expect(down.statusCode).toBe(503);
  expect(down.json()).toMatchObject({ code: 'unavailable' });
  expect((await get('/v1/transcripts')).statusCode).toBe(503);
  await expect(handle([facts.chunk(0, 'a')])).rejects.toThrow();
  await results.server.start();
  await handle([facts.chunk(0, 'a')]);
  const up = await get(`/v1/transcripts/${facts.id}`);
  expect(up.json()).toMatchObject({ status: 'completed', text: 'a' });
  await server.close();
});
