import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { download } from './debian-tools.mjs';
import { toolCache } from './go-tools.mjs';

const run = promisify(execFile);

const PACKAGES = ['pgbouncer', 'libevent-2.1-7', 'libc-ares2'];
const ROOT = 'pgbouncer';
const PATH = 'usr/sbin/pgbouncer';

const there = (path) =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * PgBouncer and the environment it needs, from the cache, else fetched from Debian's packages and unpacked there: nothing is
 * installed on the machine. Throws, saying what to install, where there is no apt.
 * @param {(line: string) => void} [say] is told what is done
 */
export async function findPgbouncer(say = () => {}) {
  const root = join(toolCache(), ROOT);
  if (!(await there(join(root, PATH)))) {
    say('pgbouncer is missing: unpack it from Debian’s package');
    await unpack(root);
  }
  const libraries = join(root, 'usr/lib', await tripletOf(root));
  return { path: join(root, PATH), env: { LD_LIBRARY_PATH: libraries } };
}

/** The folder of libraries has the name of the processor. */
async function tripletOf(root) {
  const names = await readdir(join(root, 'usr/lib'));
  return names.find((name) => name.endsWith('-linux-gnu')) ?? '';
}

async function unpack(root) {
  const folder = await mkdtemp(join(tmpdir(), 'earshot-pgbouncer-'));
  try {
    await download(PACKAGES, folder);
    const unpacked = join(folder, 'root');
    await mkdir(unpacked);
    for (const file of (await readdir(folder)).filter((file) => file.endsWith('.deb')))
      await run('dpkg-deb', ['-x', join(folder, file), unpacked]);
    await mkdir(join(root, '..'), { recursive: true });
    await run('cp', ['-a', unpacked, `${root}.${process.pid}`]);
    await rename(`${root}.${process.pid}`, root).catch(async (error) => {
      // Another process was first.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      await rm(`${root}.${process.pid}`, { recursive: true });
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
