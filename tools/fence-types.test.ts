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
  ['a package that is not referenced', "import { name } from '@earshot/messaging';"],
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

it('knip refuses a dependency that is used but not declared, and one that is declared but not used', async () => {
  const door = 'libs/storage-file/src/index.ts';
  await scratch.write(door, "import pino from 'pino';\nexport const planted = pino;\n");
  await scratch.write('libs/intake/src/index.ts', "export { name } from '@earshot/jobs';\n");
  const { output, code } = await unusedOrUndeclared();
  expect(code).not.toBe(0);
  expect(output).toMatch(/Unlisted dependencies[\s\S]*pino\s+libs\/storage-file/);
  const unused = output.split('\n').filter((line) => line.includes('libs/intake/package.json'));
  expect(unused.join('\n')).toContain('@earshot/storage');
  expect(unused.join('\n')).not.toContain('@earshot/jobs');
  await scratch.write(door, 'export {};\n');
  expect((await unusedOrUndeclared()).output).not.toContain('pino');
});
