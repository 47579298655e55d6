import { afterAll, beforeAll, expect, it } from 'vitest';
import { runTool, scratchWorkspace } from './fence-workspace.ts';

let scratch: Awaited<ReturnType<typeof scratchWorkspace>>;
beforeAll(async () => {
  scratch = await scratchWorkspace();
});
afterAll(() => scratch.remove());

const build = () => runTool(scratch.root, 'typescript/bin/tsc', '-b');
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

it('knip refuses what is used but not declared and what is declared but not used, and nothing else', async () => {
  const imports = (...names: string[]) => names.map((name) => `import '${name}';\n`).join('');
  await scratch.write('libs/storage-file/src/index.ts', imports('pino', '@earshot/domain'));
  await scratch.write('libs/jobs/src/index.ts', imports('@earshot/contracts', '@earshot/domain'));
  const { output, code } = await runTool(
    scratch.root,
    'knip/bin/knip.js',
    '--dependencies',
    '--no-config-hints',
    '--no-progress',
  );
  const about = (kind: string, folder: string) => {
    const section = output.split(/^(?=\S.* \(\d+\)$)/m).find((part) => part.startsWith(kind)) ?? '';
    return section.split('\n').filter((line) => line.includes(`${folder}/`));
  };
  expect(code).not.toBe(0);
  expect(about('Unlisted dependencies', 'libs/storage-file').map((line) => line.split(' ')[0])).toEqual([
    'pino',
  ]);
  expect(about('Unused dependencies', 'libs/storage-file').map((line) => line.split(' ')[0])).toEqual([
    '@earshot/storage',
  ]);
  expect(output).not.toContain('libs/jobs/');
}, 120_000);
