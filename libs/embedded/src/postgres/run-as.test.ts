import { execFileSync } from 'node:child_process';
import { mkdir, readlink, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.ts';
import { options } from '../../test/real-files.ts';
import { readableCopy, trustedBase } from './native-copy.ts';
import { resolvePostgres } from './resolve.ts';
import { canPass, canReach, chooseRunAs } from './run-as.ts';

const nobody = { name: 'nobody', uid: 65_534, gid: 65_534 };
const isRoot = process.getuid?.() === 0;

describe('who runs PostgreSQL', () => {
  test.each([
    ['root:x:0:0::/:\nnobody:x:65534:65534::/:\npostgres:x:101:104::/:', 0, 'postgres'],
    ['root:x:0:0::/:\ndaemon:x:1:1::/:\nnobody:x:65534:65534::/:', 0, 'nobody'],
    ['root:x:0:0::/:\napp:x:1000:1000::/:\n', 0, 'app'],
    ['root:x:0:0::/:\n', 0, undefined],
    ['root:x:0:0::/:\npostgres:x:101:104::/:', 1000, undefined],
  ])('with %j and uid %d it is %s', async (passwd, uid, expected) => {
    const path = join(temporaryFolder(), 'passwd');
    await writeFile(path, passwd);
    expect(chooseRunAs(path, uid)?.name).toBe(expected);
  });
});

describe.runIf(isRoot)('a folder', () => {
  test('is out of reach below a closed one', async () => {
    const [open, closed] = [temporaryFolder(0o755), temporaryFolder(0o700)];
    await mkdir(join(closed, 'in'), { mode: 0o755 });
    expect([canReach(open, nobody), canReach(join(closed, 'in'), nobody)]).toEqual([true, false]);
    expect([canPass(join(open, 'a/b'), nobody), canPass(join(closed, 'a/b'), nobody)]).toEqual([true, false]);
  });

  test('that others may write is no place for programs', async () => {
    const open = temporaryFolder(0o777);
    await mkdir(join(open, 'safe'), { mode: 0o755 });
    expect(await trustedBase([open, join(open, 'safe')], nobody)).toBe(join(open, 'safe'));
  });
});

describe('the installation', () => {
  test('gets its links back when the install script did not run', async () => {
    const { postgres } = await resolvePostgres(options);
    const copy = join(temporaryFolder(0o755), 'cache');
    if (!isRoot) return;
    const native = await readableCopy(join(dirname(postgres), '..'), 'test', nobody, copy);
    const told = execFileSync(join(native, 'bin', 'postgres'), ['--version'], {
      uid: nobody.uid,
      encoding: 'utf8',
    });
    expect(told).toContain('18.4');
    expect((await stat(native)).mode & 0o777).toBe(0o755);
  });

  test('mends a missing library link', async () => {
    const { postgres } = await resolvePostgres(options);
    const link = join(dirname(postgres), '..', 'lib', 'libpq.so');
    if (process.platform !== 'linux') return;
    await unlink(link);
    await resolvePostgres(options);
    expect(await readlink(link)).toBe('libpq.so.5.18');
  });
});
