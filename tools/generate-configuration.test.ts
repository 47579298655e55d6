import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { settingHints, settings } from '@earshot/contracts';
import { expect, it } from 'vitest';
import { configurationPage } from './configuration-page.ts';
import { repositoryRoot } from './fence-workspace.ts';

it('the configuration page is current; `npm run generate` writes it', async () => {
  const page = await readFile(join(repositoryRoot, 'docs/configuration.md'), 'utf8');
  expect(page).toBe(configurationPage(settings, settingHints));
});

it('shows the meaning, default and range of every setting', () => {
  const page = configurationPage(
    { PORT: { description: 'a|b', default: 80, minimum: 0, maximum: 9 }, EARSHOT_X: { minimum: 1 } },
    { OLD: 'set NEW' },
  );
  expect(page).toContain('| `PORT` | a\\|b | `80` | 0 to 9 |');
  expect(page).toContain('| `EARSHOT_X` |  |  | at least 1 |');
  expect(page).toContain('| `OLD` | set NEW |');
});

it('every setting says what it means', () => {
  const silent = Object.entries(settings).filter(
    ([, schema]) => !(schema as { description?: string }).description,
  );
  expect(silent).toEqual([]);
});
