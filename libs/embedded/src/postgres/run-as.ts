import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** An ordinary user that root hands PostgreSQL to, as it refuses to run as root. */
export interface RunAs {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** The user to run as: undefined unless we are root; then `postgres`, else `nobody`, else any ordinary user of passwd. */
export function chooseRunAs(passwd = '/etc/passwd', uid = process.getuid?.()): RunAs | undefined {
  if (uid !== 0) return undefined;
  const users = readFileSync(passwd, 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , id = '', group = '']) => ({ name, uid: Number(id), gid: Number(group) }))
    .filter((user) => user.uid > 0 && user.gid >= 0);
  return (
    users.find(({ name }) => name === 'postgres') ?? users.find(({ name }) => name === 'nobody') ?? users[0]
  );
}

/** Whether the user may pass through every folder down to `path` and read (and enter) the last one. */
export function canReach(path: string, user: RunAs): boolean {
  try {
    let here = realpathSync(path);
    if (!allows(here, user, statSync(here).isDirectory() ? 5 : 4)) return false;
    for (; dirname(here) !== here; here = dirname(here)) if (!allows(dirname(here), user, 1)) return false;
    return true;
  } catch {
    return false;
  }
}

/** As {@link canReach} for a folder that is only passed through, existing or not: its nearest existing parent decides. */
export function canPass(path: string, user: RunAs): boolean {
  let here = path;
  for (;;) {
    try {
      here = realpathSync(here);
      break;
    } catch {
      if (dirname(here) === here) return false;
      here = dirname(here);
    }
  }
  for (; ; here = dirname(here)) {
    if (!allows(here, user, 1)) return false;
    if (dirname(here) === here) return true;
  }
}

function allows(path: string, user: RunAs, bits: number): boolean {
  const { mode, uid, gid } = statSync(path);
  const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0;
  return ((mode >> shift) & bits) === bits;
}
