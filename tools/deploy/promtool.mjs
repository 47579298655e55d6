import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fromDebian, keep } from './debian-tools.mjs';
import { toolCache } from './go-tools.mjs';

const run = promisify(execFile);
const GO_MODULE = 'github.com/prometheus/prometheus/cmd/promtool@v0.55.1';

const works = (program) =>
  run(program, ['--version']).then(
    () => true,
    () => false,
  );

/**
 * The path of promtool: from PATH, else from the cache, else unpacked from Debian's package `prometheus` (nothing is
 * installed on the machine), else built by Go. Undefined when none of that is possible; `say` is told what is done.
 */
export async function findPromtool(say = () => {}) {
  if (await works('promtool')) return 'promtool';
  const cached = join(toolCache(), 'promtool', 'promtool');
  if (await works(cached)) return cached;
  for (const [what, get] of [
    [
      'unpack it from Debian’s package prometheus',
      (folder) => fromDebian(['prometheus'], 'usr/bin/promtool', folder),
    ],
    ['build it with Go, for some minutes', fromGo],
  ]) {
    const folder = await mkdtemp(join(tmpdir(), 'earshot-promtool-'));
    try {
      say(`promtool is missing: ${what}`);
      const found = await get(folder);
      await keep(found, cached);
      return cached;
    } catch (error) {
      say(`that failed: ${String(error.message).split('\n')[0]}`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return undefined;
}

async function fromGo(folder) {
  await run('go', ['install', GO_MODULE], {
    env: { ...process.env, GOBIN: folder, GOFLAGS: '-modcacherw' },
    timeout: 900_000,
  });
  return join(folder, 'promtool');
}
