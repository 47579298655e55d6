import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fromDebian } from './debian-tools.mjs';
import { toolCache } from './go-tools.mjs';

const run = promisify(execFile);

/** The newest of each line of Node that the tag of an image may name, and the npm of that line. */
const NODES = { 24: ['24.21.0', '11.21.2'] };

/**
 * An archive (tar) of what the image `node:<major>-<suite>-slim` holds, made without a registry of images: Debian's
 * essential packages and apt by mmdebstrap, Node and npm from npm. Made once, then kept.
 * @param {string} name of the image
 * @param {(line: string) => void} [say] is told what is done
 */
export async function baseImage(name, say = () => {}) {
  const [, major = '', suite = ''] = /^node:(\d+)-([a-z]+)-slim$/.exec(name) ?? [];
  const [node, npm] = NODES[major] ?? [];
  if (!node) throw new Error(`${name} is none of node:<${Object.keys(NODES)}>-<suite>-slim`);
  const file = join(toolCache(), `image-${suite}-node-${node}-${process.arch}.tar`);
  if (await exists(file)) return file;
  const work = await mkdtemp(join(tmpdir(), 'earshot-base-'));
  try {
    say(`${name} is missing: make it of Debian's packages and Node ${node} from npm`);
    const overlay = join(work, 'node');
    await mkdir(join(overlay, 'usr/local/bin'), { recursive: true });
    await unpack(work, `node-linux-${process.arch}@${node}`);
    await run('cp', [join(work, 'package/bin/node'), join(overlay, 'usr/local/bin/node')]);
    await unpack(work, `npm@${npm}`);
    await mkdir(join(overlay, 'usr/local/lib/node_modules'), { recursive: true });
    await rename(join(work, 'package'), join(overlay, 'usr/local/lib/node_modules/npm'));
    const made = join(work, 'image.tar');
    await debian(work, suite, made, [`copy-in "${join(overlay, 'usr')}" /`, ...HOOKS]);
    await mkdir(toolCache(), { recursive: true });
    await run('cp', [made, `${file}.${process.pid}`]);
    await rename(`${file}.${process.pid}`, file);
    return file;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** What the image of Node does on top of Debian. */
const HOOKS = [
  'chroot "$1" useradd --uid 1000 --user-group --shell /bin/bash --create-home node',
  'ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/usr/local/bin/npm"',
  'ln -s ../lib/node_modules/npm/bin/npx-cli.js "$1/usr/local/bin/npx"',
];

async function unpack(work, spec) {
  await rm(join(work, 'package'), { recursive: true, force: true });
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', work, spec], { cwd: work });
  await run('tar', ['-xzf', join(work, stdout.trim()), '-C', work]);
}

async function debian(work, suite, file, hooks) {
  const program = await mmdebstrap(work);
  const args = ['--quiet', '--variant=apt', '--mode=auto', '--aptopt=Acquire::Retries "3"'];
  const all = [...args, ...hooks.map((hook) => `--customize-hook=${hook}`), suite, file];
  await run(program, all, { timeout: 600_000, maxBuffer: 16 * 1024 * 1024 });
}

/** mmdebstrap from PATH, else unpacked from Debian's package of that name; nothing is installed on the machine. */
async function mmdebstrap(work) {
  const onPath = await run('mmdebstrap', ['--version']).then(
    () => true,
    () => false,
  );
  if (onPath) return 'mmdebstrap';
  try {
    return await fromDebian(['mmdebstrap'], 'usr/bin/mmdebstrap', work);
  } catch (error) {
    throw new Error(`install mmdebstrap (a package of Debian and Ubuntu): ${error.stderr || error.message}`);
  }
}

const exists = (path) =>
  access(path).then(
    () => true,
    () => false,
  );
