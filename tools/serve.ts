// `nx serve <service>`: starts or joins the NATS and PostgreSQL of this folder, prepares them, then runs the service
// from source and again whenever a file changes. The last of several terminals stops the servers.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  createProgressPrinter,
  embeddedOptionsFromEnv,
  linkSpeechModel,
  resolveFfmpeg,
  resolveSpeechModel,
  startOrJoinServers,
} from '@earshot/embedded';

const SERVICES = ['ingest', 'transcription', 'results', 'combined'];
const root = fileURLToPath(new URL('..', import.meta.url));
const tsx = join(root, 'node_modules/tsx/dist/cli.mjs');
const fromSource = '--conditions=@earshot/source';

const service = process.argv[2] ?? '';
if (!SERVICES.includes(service)) {
  process.stderr.write(`usage: nx serve ${SERVICES.join('|')}\n`);
  process.exit(2);
}
process.chdir(root);
refuseInProduction();
process.exit(service === 'combined' ? await watch(process.env) : await serve());

/** Production runs on servers that somebody looks after; combined checks this by itself, and in the same words. */
function refuseInProduction(): void {
  if (service === 'combined' || process.env.ENVIRONMENT !== 'production') return;
  const missing = ['NATS_URL', 'DATABASE_URL', 'EARSHOT_STORAGE_URL'].filter((name) => !process.env[name]);
  if (missing.length === 0) return;
  const problems = missing.map((name) => `${name} is required when ENVIRONMENT is production\n`);
  process.stderr.write(problems.join(''));
  process.exit(1);
}

/** Runs a program of the repository; a signal that reaches us reaches it, and we end when it has. */
async function run(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, args, { stdio: 'inherit', env });
  const relay = (signal: NodeJS.Signals) => void child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, relay);
  const [code] = (await once(child, 'exit')) as [number | null];
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, relay);
  return code ?? 0;
}

function watch(env: NodeJS.ProcessEnv): Promise<number> {
  return run([tsx, 'watch', '--clear-screen=false', fromSource, `services/${service}/src/main.ts`], env);
}

async function serve(): Promise<number> {
  const home = resolve(process.env.EARSHOT_HOME ?? '.earshot');
  const options = embeddedOptionsFromEnv(process.env, createProgressPrinter(process.stderr));
  const { NATS_URL, DATABASE_URL } = process.env;
  const servers = await startOrJoinServers({
    home,
    options,
    ...(NATS_URL ? { natsUrl: NATS_URL } : {}),
    ...(DATABASE_URL ? { databaseUrl: DATABASE_URL } : {}),
  });
  try {
    const env = {
      EARSHOT_STORAGE_URL: pathToFileURL(join(home, 'storage')).href,
      ...process.env,
      NATS_URL: servers.natsUrl,
      DATABASE_URL: servers.databaseUrl,
      ...(service === 'transcription' ? await engineParts() : {}),
    };
    const prepared = await run([tsx, fromSource, 'services/combined/src/init.ts'], {
      ...env,
      LOG_LEVEL: 'warn',
    });
    return prepared === 0 ? await watch(env) : prepared;
  } finally {
    // Nx sends a signal of its own after the terminal's: a stop that began must not be cut short.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
    await servers.leave();
  }

  /** ffmpeg, and one folder with links to the parts of the model, as EARSHOT_MODEL_DIR wants it. */
  async function engineParts() {
    const [ffmpeg, model] = await Promise.all([resolveFfmpeg(options), resolveSpeechModel(options)]);
    const folder = await linkSpeechModel(model, join(home, 'model'));
    return { EARSHOT_FFMPEG_BIN: ffmpeg.path, EARSHOT_MODEL_DIR: folder };
  }
}
