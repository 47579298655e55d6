import { findOnPath } from '../find-on-path.ts';
import type { Environment } from '../options.ts';
import { run } from '../run.ts';

/** A Python that has pip, and the versions it reported. */
export interface Python {
  readonly command: string;
  readonly version: string;
}

const answers = new Map<string, Promise<Python | undefined>>();

/** The first of python3, python, py on PATH whose pip answers; undefined when none does. Asked once per PATH. */
export function findPython(env: Environment): Promise<Python | undefined> {
  const key = env.PATH ?? env.Path ?? '';
  const known = answers.get(key) ?? ask(env);
  answers.set(key, known);
  return known;
}

async function ask(env: Environment): Promise<Python | undefined> {
  for (const name of ['python3', 'python', 'py']) {
    for (const command of (await findOnPath(name, env)).slice(0, 2)) {
      const answer = await run(command, ['-m', 'pip', '--version'], { env, timeoutMs: 20_000 }).catch(
        () => undefined,
      );
      const found = /^pip (\S+) .*\(python ([\d.]+)\)/m.exec(answer?.stdout ?? '');
      if (answer?.code === 0 && found !== null)
        return { command, version: `pip ${found[1]}, Python ${found[2]}` };
    }
  }
  return undefined;
}
