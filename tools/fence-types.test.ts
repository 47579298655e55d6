import { afterAll, beforeAll, expect, it } from 'vitest';
import { runTool, scratchWorkspace } from './fence-workspace.ts';

let scratch: Awaited<ReturnType<typeof scratchWorkspace>>;
beforeAll(async () => {
  scratch = await scratchWorkspace();
});
afterAll(() => scratch.remove());

const build = () => runTool(scratch.root, 'typescript/bin/tsc', '-b');
const unusedOrUndeclared = () =>
  runTool(scratch.root, 'knip/bin/knip.js', '--dependencies', '--no-config-hints', '--no-progress');
const PLANTED = 'libs/storage-file/src/planted.ts';

it('builds the untouched workspace, references and all', async () => {
  const { output, code } = await build();
  expect(output).toBe('');
  expect(code).toBe(0);
});

it.each([
  ['a file of a package that is not referenced', "import { name } from '../../messaging/src/index.ts';"],
  ['a file of a service', "import { name } from '../../../services/ingest/src/service.ts';"],
])('tsc -b refuses %s', async (_what, line) => {
  await scratch.write(PLANTED, `${line}\nexport const planted = name;\n`);
  const refused = await build();
  await scratch.write(PLANTED, "import { name } from '@earshot/storage';\nexport const planted = name;\n");
  const accepted = await build();
  expect(refused.code).not.toBe(0);
  expect(refused.output).toMatch(/storage-file\/src\/planted\.ts.*TS(6059|6307|2307)/);
  expect(accepted).toEqual({ output: '', code: 0 });
});

it('knip refuses what is used but not declared, and what is declared but not used', async () => {
  const door = 'libs/storage-file/src/index.ts';
  const ofPackage = (output: string, kind: string) => {
    const section = output.split(/^(?=\S.* \(\d+\)$)/m).find((part) => part.startsWith(kind)) ?? '';
    return section
      .split('\n')
      .filter((line) => line.includes('libs/storage-file/'))
      .join('\n');
  };
  await scratch.write(door, "import 'pino';\nimport '@earshot/domain';\n");
  const refused = await unusedOrUndeclared();
  await scratch.write(door, "import '@earshot/storage';\nimport '@earshot/domain';\n");
  const accepted = await unusedOrUndeclared();
  expect(refused.code).not.toBe(0);
  expect(ofPackage(refused.output, 'Unlisted dependencies')).toMatch(/^pino\s+\S+\s*$/);
  expect(ofPackage(refused.output, 'Unused dependencies')).toMatch(/^@earshot\/storage\s+\S+\s*$/);
  expect(ofPackage(accepted.output, '')).toBe('');
});
