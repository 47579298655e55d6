import pg from 'pg';
import { afterAll, expect, it } from 'vitest';
import { testDatabase } from './database.ts';

const first = await testDatabase();
const second = await testDatabase();
afterAll(async () => {
  await second.drop();
  await first.drop();
});

async function ask(url: string, sql: string) {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return client.query(sql).finally(() => client.end());
}

it('gives each caller a database of its own', async () => {
  await ask(first.url, 'CREATE TABLE mine (n int)');
  await expect(ask(second.url, 'SELECT * FROM mine')).rejects.toThrow(/does not exist/);
});

it('keeps the data over a crash of the server', async () => {
  await ask(first.url, 'CREATE TABLE kept AS SELECT 7 AS n');
  await first.kill();
  await expect(ask(first.url, 'SELECT 1')).rejects.toThrow();
  await first.start();
  expect((await ask(first.url, 'SELECT n FROM kept')).rows).toEqual([{ n: 7 }]);
});
