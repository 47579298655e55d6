// Writes the documents that are generated from the contracts: node --import tsx tools/generate-docs.ts
// Tests in libs/contracts fail while a committed document differs from what this would write.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asyncApi, errorPage, uploadEventSchema } from '@earshot/contracts';

const docs = join(import.meta.dirname, '../docs');
const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

const documents: Readonly<Record<string, string>> = {
  'upload-event.schema.json': json(uploadEventSchema()),
  'asyncapi.json': json(asyncApi()),
  'errors.md': errorPage(),
};

mkdirSync(docs, { recursive: true });
for (const [name, text] of Object.entries(documents)) writeFileSync(join(docs, name), text);
const written = Object.keys(documents).filter((name) => name.endsWith('.json'));
execFileSync('npx', ['biome', 'format', '--write', ...written.map((name) => join('docs', name))], {
  cwd: join(docs, '..'),
  stdio: 'inherit',
});
