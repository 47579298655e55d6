import { createHash } from 'node:crypto';
import { rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, tempFolder } from '@earshot/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { doorOf, doorProblems } from './principal.ts';

const everywhere = '0.0.0.0';

it('a door that only this machine reaches needs no keys, and does not look at any', () => {
  expect(doorProblems({ HOST: '127.0.0.1' })).toEqual([]);
  expect(doorProblems({ HOST: '::1', EARSHOT_API_KEYS_FILE: '/nowhere' })).toEqual([]);
});

it('a door that others reach is refused without keys, and with a file that holds none', async () => {
  const folder = await tempFolder();
  onTestFinished(() => folder.remove());
  const path = join(folder.path, 'keys.json');
  const problems = async (text: string) => {
    await writeFile(path, text);
    return doorProblems({ HOST: everywhere, EARSHOT_API_KEYS_FILE: path });
  };
  expect(doorProblems({ HOST: everywhere })).toEqual([expect.stringContaining('set EARSHOT_API_KEYS_FILE')]);
  expect(doorProblems({ HOST: everywhere, EARSHOT_API_KEYS_FILE: `${path}.none` })).toEqual([
    'EARSHOT_API_KEYS_FILE cannot be read: ENOENT',
  ]);
  expect(await problems('{')).toEqual(['EARSHOT_API_KEYS_FILE cannot be read: it is not JSON']);
  expect(await problems('{"keys":[{"tenant":"A B"}]}')).toEqual([expect.stringContaining('must hold')]);
  const key = { tenant: 'acme', scopes: ['read'], sha256: '0'.repeat(64) };
  expect(await problems(JSON.stringify({ keys: [key] }))).toEqual([]);
});

it('keys come and go while the door is open, also by a link as mounted secrets do, and a broken file changes none', async () => {
  const folder = await tempFolder();
  onTestFinished(() => folder.remove());
  const [path, other] = ['keys.json', 'other.json'].map((name) => join(folder.path, name)) as [
    string,
    string,
  ];
  const holding = (key: string) => {
    const sha256 = createHash('sha256').update(key).digest('hex');
    return JSON.stringify({ keys: [{ tenant: 'acme', scopes: ['read'], sha256 }] });
  };
  const errors: unknown[] = [];
  const log = { error: (fields: object) => errors.push(fields) };
  await writeFile(path, holding('es_old'));
  const door = doorOf({ host: everywhere, keysFile: path, tenant: '', log });
  const open = (key: string) => door(`Bearer ${key}`) !== undefined;
  expect([open('es_old'), open('es_new')]).toEqual([true, false]);
  await writeFile(other, holding('es_new'));
  await rm(path);
  await symlink(other, path);
  await eventually('the new key', () => open('es_new'));
  expect(open('es_old')).toBe(false);
  await writeFile(other, '{');
  await eventually('the problem', () => open('es_new') && errors.length > 0);
  expect(JSON.stringify(errors)).not.toContain('es_new');
});
