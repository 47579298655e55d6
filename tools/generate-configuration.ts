// Writes docs/configuration.md from the settings table. Run by `npm run generate`.
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { settingHints, settings } from '@earshot/contracts';
import { configurationPage } from './configuration-page.ts';

await writeFile(
  fileURLToPath(new URL('../docs/configuration.md', import.meta.url)),
  configurationPage(settings, settingHints),
);
