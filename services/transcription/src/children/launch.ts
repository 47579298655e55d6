import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The entry of an engine child beside this file, as source or as built. */
export const ENGINE_CHILD = new URL(import.meta.url.replace(/launch(\.[jt]s)$/, 'engine-child$1'));

/**
 * Starts a child process on `entry` that sees only the given variables: native code that reads hostile audio gets no
 * credentials. A `.ts` entry gets the loader that this process may have got in another way.
 */
export function launch(entry: URL, environment: Readonly<Record<string, string>>): ChildProcess {
  return fork(fileURLToPath(entry), {
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // One thread decodes: one malloc arena and a small young generation keep the process well below 300 MB.
    env: { ...environment, OMP_NUM_THREADS: '1', MALLOC_ARENA_MAX: '1' },
    execArgv: ['--max-semi-space-size=1', ...(entry.pathname.endsWith('.ts') ? sourceLoader() : [])],
  });
}

function sourceLoader(): string[] {
  const tsx = createRequire(import.meta.url).resolve('tsx');
  return ['--conditions=@earshot/source', '--import', pathToFileURL(tsx).href];
}
