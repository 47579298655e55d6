import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from '@earshot/testkit';
import type { Authenticator } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authOptions, type BrokerAuth } from './auth.ts';

let folder: Awaited<ReturnType<typeof tempFolder>>;
beforeAll(async () => {
  folder = await tempFolder();
});
afterAll(() => folder.remove());

const fileWith = async (name: string, content: string) => {
  const file = join(folder.path, name);
  await writeFile(file, content);
  return file;
};
const told = (auth: BrokerAuth) => (authOptions(auth).authenticator as Authenticator)('nonce');

describe('a secret in a file', () => {
  it('is read again at each connect, and kept while the file is empty or gone', async () => {
    const file = await fileWith('token', 'first\n');
    const { authenticator } = authOptions({ token: { file } });
    const ask = () => (authenticator as Authenticator)('nonce');
    expect(ask()).toEqual({ auth_token: 'first' });
    await writeFile(file, 'second\n');
    expect(ask()).toEqual({ auth_token: 'second' });
    await writeFile(file, '');
    expect(ask()).toEqual({ auth_token: 'second' });
    await rm(file);
    expect(ask()).toEqual({ auth_token: 'second' });
    expect(() => authOptions({ token: { file } })).toThrow(/ENOENT/);
  });

  it('may be a credentials file, or stand in no file at all', async () => {
    const seed = 'SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY';
    const block = (what: string, text: string) =>
      `-----BEGIN ${what}-----\n${text}\n------END ${what}------\n`;
    const creds = await fileWith(
      'creds',
      `${block('NATS USER JWT', 'a.b.c')}\n${block('USER NKEY SEED', seed)}`,
    );
    expect(told({ creds })).toMatchObject({ jwt: 'a.b.c', nkey: expect.stringMatching(/^U/) });
    expect(told({ user: 'u', password: 'p' })).toEqual({ user: 'u', pass: 'p' });
    expect(told({ token: 't' })).toEqual({ auth_token: 't' });
    expect(authOptions({})).toEqual({});
  });
});
