import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from '@earshot/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { doorProblems } from './principal.ts';

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
