import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** @typedef {keyof typeof MODULES} GoTool */

/** The programs written in Go that check or serve for `npm run test:deploy`, each pinned by version. */
const MODULES = {
  kubeconform: 'github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0',
  kustomize: 'sigs.k8s.io/kustomize/kustomize/v5@v5.7.1',
  compose: 'github.com/compose-spec/compose-go/v2/cmd@v2.16.2',
  actionlint: 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12',
  builder: 'go.opentelemetry.io/collector/cmd/builder@v0.165.0',
  'fake-gcs-server': 'github.com/fsouza/fake-gcs-server@v1.56.1',
};

/** All names of the table. */
export const GO_TOOLS = /** @type {GoTool[]} */ (Object.keys(MODULES));

/** Where fetched and built programs are kept. */
export const toolCache = () => process.env.EARSHOT_CACHE_DIR ?? join(homedir(), '.cache', 'earshot');

/**
 * The path of a program of the table: from the cache, else built by Go. Throws, saying what to install, without Go.
 * @param {GoTool} name
 * @param {(line: string) => void} [say] is told what is done
 */
export async function goTool(name, say = () => {}) {
  const module = MODULES[name];
  const path = join(toolCache(), 'go', `${name}-${module.split('@')[1]}`);
  if (
    await access(path).then(
      () => true,
      () => false,
    )
  )
    return path;
  say(`${name} is missing: build it with Go`);
  await mkdir(join(toolCache(), 'go'), { recursive: true });
  const folder = await mkdtemp(join(tmpdir(), `earshot-${name}-`));
  try {
    await build(module, folder);
    const built = join(folder, nameOf(module));
    await run('cp', [built, `${path}.${process.pid}`]);
    await rename(`${path}.${process.pid}`, path);
    return path;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function build(module, folder) {
  const env = { ...process.env, GOBIN: folder, GOFLAGS: '-modcacherw' };
  try {
    await run('go', ['install', module], { env, timeout: 900_000 });
  } catch (error) {
    if (error.code === 'ENOENT')
      throw new Error(`install Go (https://go.dev/dl): ${module} is built with it`);
    throw new Error(`go install ${module} failed: ${String(error.stderr ?? error.message).slice(-2000)}`);
  }
}

/** Go names a program after the last part of its path that is no version. */
function nameOf(module) {
  const [path] = module.split('@');
  const last = basename(path);
  return /^v\d+$/.test(last) ? basename(path.slice(0, -last.length - 1)) : last;
}
