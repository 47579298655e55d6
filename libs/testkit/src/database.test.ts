import { afterAll, expect, it } from 'vitest';
import { testDatabase } from './database.ts';

const first = await testDatabase();
const second = await testDatabase();
afterAll(async () => {
  await second.drop();
  await first.drop();
});

it('gives each caller a database of its own', async () => {
  await first.query('CREATE TABLE mine (n int)');
  await expect(second.query('SELECT * FROM mine')).rejects.toThrow(/does not exist/);
});

it('keeps the data over a crash of the server', async () => {
  await first.query('CREATE TABLE kept AS SELECT $1::int AS n', [7]);
  await first.kill();
  await expect(first.query('SELECT 1')).rejects.toThrow();
  await first.start();
  expect(await first.query('SELECT n FROM kept')).toEqual([{ n: 7 }]);
});
