/**
 * Brings node_modules up to date before anything that needs it. No dependencies: this runs on a fresh checkout.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const OLDEST_NODE = [20, 19];
/** What npm fetches on an empty cache. */
const DOWNLOAD = { prod: 'about 110 MB', dev: 'about 190 MB' };

/** Ends the process with a plain sentence when Node is too old. */
export function requireNode(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  process.stderr.write(`Earshot needs Node ${OLDEST_NODE.join('.')} or newer; this is ${version}.\n`);
  process.exit(1);
}

/**
 * Which packages are installed: 'dev' (all), 'prod' (those needed to run), or undefined (none, half, or of another lock
 * file). Trusts our stamp, written after a whole install, and otherwise npm's own list of what it finished installing.
 * @param {string} [root]
 * @returns {Promise<'dev' | 'prod' | undefined>}
 */
export async function installedPackages(root = ROOT) {
  const lock = await readFile(join(root, 'package-lock.json'), 'utf8');
  const done = await readFile(join(root, 'node_modules', '.package-lock.json'), 'utf8').catch(
    () => undefined,
  );
  if (done === undefined) return undefined;
  const stamp = await readFile(stampPath(root), 'utf8').catch(() => '');
  if (stamp === stampText(lock, 'dev')) return 'dev';
  if (stamp === stampText(lock, 'prod')) return 'prod';
  const installed = JSON.parse(done).packages ?? {};
  if (matches(JSON.parse(lock).packages, installed, true)) return 'dev';
  return matches(JSON.parse(lock).packages, installed, false) ? 'prod' : undefined;
}

/**
 * Installs what package-lock.json names, when it is not there yet; else touches nothing and needs no network.
 * One install at a time: a second start waits for the first. Throws when npm fails; a half install is never used.
 * @param {{ dev?: boolean, root?: string, npm?: { command: string, first: string[] } }} [options] dev: test tools too
 */
export async function ensurePackages({ dev = false, root = ROOT, npm = npmCommand() } = {}) {
  requireNode();
  if (await isEnough(dev, root)) return;
  const release = await takeLock(join(root, '.earshot', 'locks', 'packages'));
  try {
    if (await isEnough(dev, root)) return;
    // What was there for tests stays: it would be missed later.
    const mode = dev || (await hasDevTools(root)) ? 'dev' : 'prod';
    const lock = await readFile(join(root, 'package-lock.json'), 'utf8');
    process.stderr.write(`Installing packages with npm ci (${DOWNLOAD[mode]}, once) …\n`);
    await rm(stampPath(root), { force: true });
    // The lock file pins every byte, so npm need not ask whether what it has cached is current: offline that takes minutes.
    await runNpm(npm, root, mode, '--prefer-offline').catch((error) => {
      process.stderr.write(`${error.message}\nTrying again without npm's cached lists of versions …\n`);
      return runNpm(npm, root, mode);
    });
    await writeFile(stampPath(root), stampText(lock, mode));
  } finally {
    await release();
  }
}

async function isEnough(dev, root) {
  const have = await installedPackages(root);
  return have === 'dev' || (have === 'prod' && !dev);
}

async function hasDevTools(root) {
  const names = await readdir(join(root, 'node_modules')).catch(() => []);
  return names.includes('vitest');
}

function stampPath(root) {
  return join(root, 'node_modules', '.earshot-stamp');
}

function stampText(lock, mode) {
  return `${createHash('sha256').update(lock).digest('hex')} ${mode}\n`;
}

/** npm leaves out packages for other systems; those are all marked optional. */
function matches(wanted, installed, dev) {
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.startsWith('node_modules/') && !path.includes('/node_modules/')) return true;
    if (entry.link || entry.optional || entry.devOptional || (entry.dev && !dev)) return true;
    return installed[path]?.version === entry.version;
  });
}

/** The npm that runs us, else the one on PATH. */
function npmCommand() {
  const script = process.env.npm_execpath;
  if (script !== undefined && /npm(-cli)?\.c?js$/.test(script))
    return { command: process.execPath, first: [script] };
  return { command: process.platform === 'win32' ? 'npm.cmd' : 'npm', first: [] };
}

function runNpm(npm, cwd, mode, ...more) {
  const args = [...npm.first, 'ci', '--no-audit', '--no-fund', '--loglevel=error', ...more];
  args.push(mode === 'dev' ? '--include=dev' : '--omit=dev');
  const started = Date.now();
  const heartbeat = setInterval(() => {
    process.stderr.write(`  still installing (${Math.round((Date.now() - started) / 1000)} s)\n`);
  }, 10_000);
  return new Promise((done, fail) => {
    const shell = npm.command.endsWith('.cmd');
    const child = spawn(npm.command, args, { cwd, stdio: ['ignore', 2, 2], shell });
    child.on('error', (error) =>
      fail(new Error(`npm cannot be run (${error.message}); it comes with Node.`)),
    );
    child.on('exit', (code, signal) => {
      if (code === 0) return done(undefined);
      const how = signal ?? `code ${code}`;
      fail(new Error(`npm ci ended with ${how}. Its messages are above.`));
    });
  }).finally(() => clearInterval(heartbeat));
}

/**
 * Numbered owner files; the highest number owns the lock and is replaced, never deleted, so that two takers of a dead
 * process's lock cannot both win. libs/embedded has the same for everything that runs after this.
 */
async function takeLock(folder) {
  await mkdir(folder, { recursive: true });
  for (let told = false; ; await new Promise((next) => setTimeout(next, 200))) {
    const last = Math.max(0, ...(await numbers(folder)));
    const holder = await readFile(join(folder, String(last)), 'utf8').catch(() => '0');
    const pid = Number.parseInt(holder, 10);
    if (isAlive(pid) && holder === (await identity(pid))) {
      if (!told) process.stderr.write(`Waiting for process ${pid}, which installs the packages …\n`);
      told = true;
      continue;
    }
    const mine = join(folder, String(last + 1));
    if (!(await put(folder, await identity(process.pid), (draft) => link(draft, mine)))) continue;
    const all = await numbers(folder);
    if (Math.max(...all) !== last + 1) {
      await rm(mine, { force: true });
      continue;
    }
    for (const old of all) if (old <= last) await rm(join(folder, String(old)), { force: true });
    return () => put(folder, '0', (draft) => rename(draft, mine));
  }
}

async function numbers(folder) {
  return (await readdir(folder)).filter((name) => /^\d+$/.test(name)).map(Number);
}

async function put(folder, owner, place) {
  const draft = join(folder, `draft-${process.pid}-${Math.random().toString(36).slice(2)}`);
  await writeFile(draft, owner);
  const placed = await place(draft).then(
    () => true,
    () => false,
  );
  await rm(draft, { force: true });
  return placed;
}

/** Number and, on Linux, start time: in a container the number of a dead process soon belongs to another. */
async function identity(pid) {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return `${pid} ${status.slice(status.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`;
}

function isAlive(pid) {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
