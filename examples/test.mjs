// `npm run test:examples`: runs every example against a real Earshot and compares what it prints with expected.txt.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '..');
const folder = await mkdtemp(join(tmpdir(), 'earshot-examples-'));
const home = join(folder, 'home');

/** Runs a program and resolves to what it printed; rejects with its complaints when it fails. */
async function output(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}\n${stdout}${stderr}`);
  return stdout;
}

async function startEarshot() {
  const main = 'services/combined/src/main.ts';
  const env = { ...process.env, EARSHOT_HOME: home, PORT: '0', LOG_LEVEL: 'error' };
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@earshot/source', main], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  for await (const data of child.stdout) {
    printed += data;
    const natsUrl = /NATS\s+(\S+)/.exec(printed)?.[1];
    if (natsUrl) return { child, natsUrl };
  }
  throw new Error(`Earshot did not start\n${printed}`);
}

async function storeSample() {
  const cache =
    process.env.EARSHOT_CACHE_DIR ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'earshot');
  const model = (await readdir(cache)).find((name) => name.startsWith('speech-model'));
  const target = join(home, 'storage/default/samples');
  await mkdir(target, { recursive: true });
  await copyFile(join(cache, model, 'beckett.wav'), join(target, 'beckett.wav'));
}

/** A Python that has what the example's requirements ask for. */
async function pythonFor(example) {
  const venv = join(folder, 'venv');
  await output('python3', ['-m', 'venv', venv]);
  const python = join(venv, 'bin/python');
  await output(python, ['-m', 'pip', 'install', '--quiet', '-r', join(here, example, 'requirements.txt')]);
  return python;
}

const { child, natsUrl } = await startEarshot();
const env = { ...process.env, NATS_URL: natsUrl };
const examples = [
  [
    'publish-upload-event-node',
    () => output(process.execPath, ['publish.mjs'], { env, cwd: join(here, 'publish-upload-event-node') }),
  ],
  [
    'publish-upload-event-python',
    async () =>
      output(await pythonFor('publish-upload-event-python'), ['publish.py'], {
        env,
        cwd: join(here, 'publish-upload-event-python'),
      }),
  ],
  [
    'consume-completed-node',
    () => output(process.execPath, ['consume.mjs', '2'], { env, cwd: join(here, 'consume-completed-node') }),
  ],
];

let failed = 0;
try {
  await storeSample();
  for (const [name, run] of examples) {
    const expected = await readFile(join(here, name, 'expected.txt'), 'utf8');
    const printed = await run().catch((error) => error.message);
    if (printed === expected) {
      console.log(`ok      ${name}`);
    } else {
      failed += 1;
      console.log(`not ok  ${name}\n--- expected\n${expected}--- printed\n${printed}`);
    }
  }
} finally {
  child.kill('SIGTERM');
  await once(child, 'exit');
  await rm(folder, { recursive: true, force: true });
}
console.log(`${examples.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
