import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { smallDisk } from './small-disk.ts';

const disk = await smallDisk(2);

const needsRoot = disk ? '' : ' (NOT CHECKED HERE: mounting a small disk is not allowed)';

it(`is full after so many megabytes, takes writes again when freed or enlarged${needsRoot}`, async () => {
  if (!disk) return;
  const write = (name: string, bytes: number) => writeFile(join(disk.path, name), Buffer.alloc(bytes, 'x'));
  await write('kept', 1000);
  await disk.fill();
  await expect(write('refused', 4096)).rejects.toMatchObject({ code: 'ENOSPC' });
  await disk.free();
  await write('fits', 4096);
  await expect(write('large', 3_000_000)).rejects.toMatchObject({ code: 'ENOSPC' });
  await disk.resize(8);
  await write('large', 3_000_000);
  expect(await readFile(join(disk.path, 'kept'))).toHaveLength(1000);
  await disk.remove();
  await expect(access(disk.path)).rejects.toMatchObject({ code: 'ENOENT' });
});
