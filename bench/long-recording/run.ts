// `npm run bench:long`: one hour of speech through built, separate services with one engine. Shows when the first text
// could be read, and the peak memory of each process after a short and after the long recording.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openAsBlob } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { Client } from '@earshot/client';
import {
  embeddedOptionsFromEnv,
  linkSpeechModel,
  resolveFfmpeg,
  resolveSpeechModel,
  startOrJoinServers,
} from '@earshot/embedded';
import { tempFolder } from '@earshot/testkit';
import { childrenOf } from '../process-tree.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const SHORT_SECONDS = 300;
const LONG_SECONDS = 3600;

/** As in the image (deploy/Dockerfile). */
const FLAGS = ['--max-semi-space-size=1'];

/** Peak resident memory in MB that each kind of process may have. */
const LIMITS_MB = { ingest: 150, results: 150, transcription: 120, 'engine child': 300 } as const;

/** How much more of it the long recording may take than the short one, twelve times shorter: what a heap wanders. */
const GROWTH_MB = 30;

const folder = await tempFolder();
const options = embeddedOptionsFromEnv(process.env);
const [ffmpeg, model] = await Promise.all([resolveFfmpeg(options), resolveSpeechModel(options)]);
const servers = await startOrJoinServers({ home: join(folder.path, 'home'), options });
const services: ChildProcess[] = [];
let failures = 0;
let passes = 0;

function check(passed: boolean, line: string): void {
  if (passed) passes += 1;
  else failures += 1;
  console.log(`${passed ? 'ok     ' : 'not ok '} ${line}`);
}

async function environment(): Promise<NodeJS.ProcessEnv> {
  const parts = await linkSpeechModel(model, join(folder.path, 'model'));
  return {
    ...process.env,
    NATS_URL: servers.natsUrl,
    DATABASE_URL: servers.databaseUrl,
    EARSHOT_STORAGE_URL: pathToFileURL(join(folder.path, 'storage')).href,
    EARSHOT_FFMPEG_BIN: ffmpeg.path,
    EARSHOT_MODEL_DIR: parts,
    WORKER_CONCURRENCY: '1',
    PORT: '0',
  };
}

/** Starts a built service and resolves to its process and the address in its log. */
async function start(name: string, env: NodeJS.ProcessEnv, ready: RegExp) {
  const child = spawn(process.execPath, [...FLAGS, `services/${name}/dist/main.js`], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  services.push(child);
  let printed = '';
  const match = await new Promise<RegExpExecArray>((resolve, reject) => {
    child.stdout.on('data', (data: Buffer) => {
      printed += data.toString();
      const found = ready.exec(printed);
      if (found) resolve(found);
    });
    child.once('exit', () => reject(new Error(`${name} ended\n${printed}`)));
  });
  return { pid: child.pid as number, url: match[1] ?? '' };
}

async function loopOf(seconds: number): Promise<string> {
  const path = join(folder.path, `${seconds}.wav`);
  const [sample = ''] = model.samples;
  await run(ffmpeg.path, [
    '-loglevel',
    'error',
    '-stream_loop',
    '-1',
    '-i',
    sample,
    '-t',
    String(seconds),
    '-ar',
    '16000',
    '-ac',
    '1',
    path,
  ]);
  return path;
}

async function peakMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

async function submit(path: string, clients: { ingest: Client; results: Client }) {
  const started = performance.now();
  const since = () => Math.round((performance.now() - started) / 100) / 10;
  const { id } = await clients.ingest.recordings.create({ file: await openAsBlob(path) });
  const times = { uploaded: since(), first_text: 0, split: 0, completed: 0 };
  await clients.results.transcripts.wait(id, {
    intervalMs: 50,
    onProgress: (transcript) => {
      if (transcript.text && !times.first_text) times.first_text = since();
      if (transcript.progress.total_ms !== null && !times.split) times.split = since();
    },
  });
  return { ...times, completed: since() };
}

try {
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'], { cwd: root });
  const env = await environment();
  await run(process.execPath, ['services/combined/dist/init.js'], { cwd: root, env });
  const url = /"url":"([^"]+)"/;
  const [ingest, results, transcription] = [
    await start('ingest', env, url),
    await start('results', env, url),
    await start('transcription', env, /worker ready/),
  ];
  const clients = {
    ingest: new Client({ baseUrl: ingest.url }),
    results: new Client({ baseUrl: results.url }),
  };
  const peaks = async () => ({
    ingest: await peakMb(ingest.pid),
    results: await peakMb(results.pid),
    transcription: await peakMb(transcription.pid),
    'engine child': Math.max(...(await Promise.all((await childrenOf(transcription.pid)).map(peakMb)))),
  });
  await submit(await loopOf(SHORT_SECONDS), clients);
  const short = await peaks();
  const times = await submit(await loopOf(LONG_SECONDS), clients);
  const long = await peaks();
  console.log(`one hour, one engine: ${JSON.stringify(times)} (seconds after the start of the upload)`);
  check(
    times.first_text < times.split,
    `first text after ${times.first_text} s, while the recording was being cut until ${times.split} s`,
  );
  console.log(`speed ${(LONG_SECONDS / (times.completed - times.uploaded)).toFixed(1)} x real time`);
  for (const [name, mb] of Object.entries(long)) {
    const limit = LIMITS_MB[name as keyof typeof LIMITS_MB];
    const before = short[name as keyof typeof short];
    check(mb < limit, `${name}: peak ${mb} MB, limit ${limit} MB`);
    const growth = `${before} MB after ${SHORT_SECONDS} s of speech, at most ${GROWTH_MB} MB less`;
    check(mb - before < GROWTH_MB, `${name}: ${growth}`);
  }
} finally {
  for (const service of services) service.kill('SIGTERM');
  await Promise.all(services.map((service) => service.exitCode ?? once(service, 'exit')));
  await servers.leave();
  await rm(folder.path, { recursive: true, force: true });
}
console.log(`${passes} passed, ${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;
