import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { parse } from 'yaml';
import { hadolint } from './hadolint.mjs';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '../..');
const dockerfile = join(repository, 'deploy/Dockerfile');
const workflows = join(repository, '.github/workflows');
const names = await readdir(workflows);

let folder: string;
let linter: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'earshot-lint-'));
  linter = await hadolint();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What a linter says against a file with that text; empty when it likes it. */
async function problems(program: string, args: readonly string[], text: string): Promise<string> {
  const file = join(folder, 'linted.yml');
  await writeFile(file, text);
  return run(program, [...args, file]).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr,
  );
}

const ofDockerfile = (text: string) => problems(linter, ['--no-color'], text);
const ofWorkflow = (text: string) =>
  problems(inject('goTools').actionlint, ['-no-color', '-shellcheck=', '-pyflakes='], text);

it('hadolint has nothing against the Dockerfile', async () => {
  expect(await ofDockerfile(await readFile(dockerfile, 'utf8'))).toBe('');
});

it.each([
  ['a relative WORKDIR', 'WORKDIR /app', 'WORKDIR app', 'DL3000'],
  ['a package without a version', '# hadolint ignore=DL3008', '#', 'DL3008'],
  ['lists of packages that stay', ' \\\n  && rm -rf /var/lib/apt/lists/*', '', 'DL3009'],
])('hadolint refuses %s', async (_, right, wrong, code) => {
  const text = await readFile(dockerfile, 'utf8');
  expect(text).toContain(right);
  expect(await ofDockerfile(text.replace(right, wrong))).toContain(code);
});

it.each(names)('actionlint has nothing against %s, and refuses it with mistakes', async (name) => {
  const text = await readFile(join(workflows, name), 'utf8');
  expect(await ofWorkflow(text)).toBe('');
  expect(await ofWorkflow(text.replace('runs-on:', 'runs-om:'))).toContain('runs-om');
  expect(await ofWorkflow(text.replaceAll('github.ref', 'github.rev'))).toMatch(
    /"rev(_name)?" is not defined/,
  );
});

interface Workflow {
  permissions: Record<string, string>;
  jobs: Record<string, Job>;
}
interface Job {
  permissions?: Record<string, string>;
  uses?: string;
  strategy?: { matrix: Record<string, string[]> };
  steps?: { uses?: string; with?: object }[];
}
const read = async (name: string): Promise<Workflow> => parse(await readFile(join(workflows, name), 'utf8'));

it.each(names)('%s pins its actions and asks for no more than it needs', async (name) => {
  const { permissions, jobs } = await read(name);
  expect(permissions).toEqual({ contents: 'read' });
  const used = Object.values(jobs).flatMap(({ steps = [] }) => steps.flatMap(({ uses }) => uses ?? []));
  expect(used.length).toBeGreaterThan(0);
  for (const each of used) expect(each).toMatch(/@v\d+\.\d+\.\d+$/);
});

it('publishes every image for both architectures, with its bill of materials and provenance', async () => {
  const { jobs } = await read('publish.yml');
  const { strategy, permissions, steps = [] } = jobs.image as Job;
  expect(strategy?.matrix.service).toEqual(['ingest', 'transcription', 'results', 'combined']);
  expect(permissions).toEqual({ contents: 'read', packages: 'write' });
  const build = steps.find(({ uses }) => uses?.startsWith('docker/build-push-action@'))?.with;
  expect(build).toMatchObject({
    platforms: 'linux/amd64,linux/arm64',
    sbom: true,
    provenance: 'mode=max',
    push: true,
    file: 'deploy/Dockerfile',
  });
});
