import { expect, it } from 'vitest';
import { readYaml } from './deploy-yaml.ts';

it('reads maps, lists, inline JSON and several documents', () => {
  const source = `# words
a:
  b: x y
  c:
    - name: one
      of: "1"
    - name: two
    - plain
  d: ["p", "q"]
e:
---
f: 8080
`;
  expect(readYaml(source)).toEqual([
    { a: { b: 'x y', c: [{ name: 'one', of: '1' }, { name: 'two' }, 'plain'], d: ['p', 'q'] }, e: null },
    { f: '8080' },
  ]);
});

it.each([
  ['a key given twice', 'a: x\na: y'],
  ['a line indented too far', 'a: x\n  b: y'],
  ['an anchor', 'a: &anchor'],
  ['a folded text', 'a: >'],
  ['an inline map that is not JSON', 'a: { b: c }'],
  ['a value that must be quoted', 'a: b: c'],
  ['what is no key', 'nonsense'],
])('refuses %s', (_what, source) => {
  expect(() => readYaml(source)).toThrow(/line \d/);
});
