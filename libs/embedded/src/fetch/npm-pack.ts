import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedError } from '../errors.ts';
import { findOnPath } from '../find-on-path.ts';
import type { Environment } from '../options.ts';
import { run, tail } from '../run.ts';

/** One npm package of a fixed version; `integrity` is npm's own (sha512-…), `file` what it packs to. */
export interface NpmPin {
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly integrity: string;
}

/** Downloads one npm package with npm (its registry, proxy and cache settings apply) and returns the .tgz. Nothing of it is run. */
export async function npmPack(pin: NpmPin, scratch: string, env: Environment): Promise<Buffer> {
  const { command, first } = await npmCommand(env);
  const args = [
    ...first,
    'pack',
    `${pin.name}@${pin.version}`,
    '--ignore-scripts',
    '--pack-destination',
    scratch,
  ];
  const ended = await run(command, args, { env, cwd: scratch });
  if (ended.code !== 0) {
    throw new EmbeddedError('DOWNLOAD_FAILED', `npm could not fetch ${pin.name}:\n${tail(ended.stderr)}`);
  }
  const archive = await readFile(join(scratch, pin.file));
  const actual = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
  if (actual !== pin.integrity) throw new EmbeddedError('BAD_HASH', `${pin.file} is not the tested package.`);
  return archive;
}

/** The npm that runs us, else the one on PATH; Node runs npm's script itself, so no shell is needed on Windows either. */
async function npmCommand(env: Environment): Promise<{ command: string; first: string[] }> {
  const script = env.npm_execpath;
  if (script !== undefined && /npm(-cli)?\.c?js$/.test(script))
    return { command: process.execPath, first: [script] };
  const [found] = await findOnPath('npm', env);
  if (found === undefined)
    throw new EmbeddedError('NOT_FOUND', 'There is no npm on PATH; it comes with Node.');
  const beside = join(found, '..', 'node_modules', 'npm', 'bin', 'npm-cli.js');
  if (found.endsWith('.cmd')) return { command: process.execPath, first: [beside] };
  return { command: found, first: [] };
}
