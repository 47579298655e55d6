import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { REPOSITORY } from './chaos-world.ts';
import { applyEdit } from './mutated-copy.ts';
import { mutations } from './mutations.ts';

it.each(mutations)('$name still fits the source', async ({ edits }) => {
  for (const edit of edits) {
    const text = await readFile(join(REPOSITORY, edit.file), 'utf8');
    expect(applyEdit(text, edit)).toContain(edit.replace);
  }
});

it('refuses an edit of a source that has changed', () => {
  const edit = { file: 'a.ts', find: 'old', replace: 'new' };
  expect(() => applyEdit('something else', edit)).toThrow('a.ts has changed');
  expect(() => applyEdit('old and old', edit)).toThrow('a.ts has changed');
});
