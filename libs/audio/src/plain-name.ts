import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * A path of the same file whose name means nothing to ffmpeg, which reads `%03d`, `*` and the like as patterns of picture
 * files whatever the content. `release` removes the link that was made for it, once ffmpeg has ended.
 */
export async function plainName(path: string): Promise<{ plain: string; release: () => Promise<void> }> {
  if (!/[%*?{}[\]]/.test(path)) return { plain: path, release: async () => undefined };
  const folder = await mkdtemp(join(tmpdir(), 'earshot-link-'));
  const plain = join(folder, 'recording');
  await symlink(resolve(path), plain);
  return { plain, release: () => rm(folder, { recursive: true, force: true }) };
}
