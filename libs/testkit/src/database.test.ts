import { setTimeout as pause } from 'node:timers/promises';
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

it('stands still and goes on, with the connections that were open', async () => {
  const slow = first.query('SELECT pg_sleep(0.2), 1 AS n');
  first.pause();
  const asked = first.query('SELECT 2 AS n');
  const outcome = await Promise.race([slow, asked, pause(1_000).then(() => 'nothing')]);
  expect(outcome).toBe('nothing');
  first.resume();
  expect([(await slow)[0], (await asked)[0]]).toMatchObject([{ n: 1 }, { n: 2 }]);
});
