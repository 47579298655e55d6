import { access, constants, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Environment } from './options.ts';

/** Every executable file of that name on PATH, in order; empty when there is none. Nothing is run. */
export async function findOnPath(name: string, env: Environment): Promise<string[]> {
  const path = env.PATH ?? env.Path ?? '';
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', ''] : [''];
  const found: string[] = [];
  for (const folder of path.split(delimiter).filter((entry) => entry !== '')) {
    for (const ending of endings) {
      const candidate = join(folder, name + ending);
      if (await isExecutable(candidate)) found.push(candidate);
    }
  }
  return found;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
