import { execFile } from 'node:child_process';
import { access, cp, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { toolCache } from './go-tools.mjs';

const run = promisify(execFile);
const works = (program, args) =>
  run(program, args).then(
    () => true,
    () => false,
  );

/**
 * The path of nginx: from PATH, else from the cache, else unpacked there from Debian's package (nothing is installed on
 * the machine). Throws, saying what to install, where none of that is possible.
 * @param {(line: string) => void} [say] is told what is done
 * @returns {Promise<string>}
 */
export async function findNginx(say = () => {}) {
  const cached = join(toolCache(), 'nginx', 'nginx');
  // An ordinary user has no /usr/sbin on PATH.
  for (const program of ['nginx', '/usr/sbin/nginx', cached])
    if (await works(program, ['-v'])) return program;
  say('nginx is missing: unpack it from Debian’s package');
  const folder = await mkdtemp(join(tmpdir(), 'earshot-nginx-'));
  try {
    const found = await fromDebian(['nginx', 'nginx-light'], 'usr/sbin/nginx', folder);
    await keep(found, cached);
    if (await works(cached, ['-v'])) return cached;
    throw new Error('the unpacked one does not run here');
  } catch (error) {
    const why = String(error.stderr || error.message).trim();
    throw new Error(`install nginx (Debian: the package nginx-light); unpacking it failed: ${why}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Unpacks the first of `packages` that has the file `path` below `folder` and resolves to where it then lies. Throws
 * without apt.
 * @param {readonly string[]} packages
 * @param {string} path
 * @param {string} folder
 */
export async function fromDebian(packages, path, folder) {
  for (const name of packages) {
    await download([name], folder);
    const [file = ''] = (await readdir(folder)).filter((each) => each.startsWith(`${name}_`));
    await run('dpkg-deb', ['-x', file, name], { cwd: folder });
    const found = join(folder, name, path);
    if (await exists(found)) return found;
  }
  throw new Error(`no ${path} in ${packages.join(', ')}`);
}

const exists = (path) =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * Fetches packages of Debian into `cwd` and installs nothing. A machine that is new has no list of packages, and an old list
 * names versions that are gone. Throws without apt.
 * @param {readonly string[]} names
 * @param {string} cwd
 */
export async function download(names, cwd) {
  const get = () => run('apt-get', ['download', ...names], { cwd, timeout: 120_000 });
  await get().catch(async (error) => {
    if (error.code === 'ENOENT') throw new Error('there is no apt-get');
    await run('apt-get', ['update'], { timeout: 120_000 });
    await get();
  });
}

/** Puts a program into the cache in one step, for others that look there meanwhile. */
export async function keep(program, cached) {
  await mkdir(dirname(cached), { recursive: true });
  await cp(program, `${cached}.${process.pid}`);
  await rename(`${cached}.${process.pid}`, cached);
}
