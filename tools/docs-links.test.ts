import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { repositoryRoot } from './fence-workspace.ts';

const pages = [
  ...(await readdir(repositoryRoot)).filter((file) => file.endsWith('.md')),
  ...(await readdir(join(repositoryRoot, 'docs'), { recursive: true }))
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
];

const linksOf = (text: string) =>
  [...text.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)]
    .map(([, link]) => link ?? '')
    .filter((link) => !/^[a-z]+:/.test(link));

it('finds links, and leaves addresses and anchors alone', () => {
  expect(linksOf('[a](b.md#c) [d](https://e) [f](#g) ![h](i/j.png)')).toEqual(['b.md', 'i/j.png']);
});

it.each(pages)('every link of %s leads somewhere', async (page) => {
  const text = await readFile(join(repositoryRoot, page), 'utf8');
  const broken = linksOf(text).filter((link) => !existsSync(join(repositoryRoot, dirname(page), link)));
  expect(broken).toEqual([]);
});
