import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempFolder } from '@earshot/testkit';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

function node(args: readonly string[], cwd = root): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr }),
    );
  });
}

const { version } = JSON.parse(await readFile(join(root, 'libs/cli/package.json'), 'utf8'));

it('runs from source in a clone, wherever it is called', async () => {
  const elsewhere = await tempFolder();
  const ran = await node([join(root, 'libs/cli/bin/earshot.mjs'), '--version'], elsewhere.path);
  expect(ran).toEqual({ code: 0, output: `${version}\n` });
  await elsewhere.remove();
});

it('runs as built where the tools for source are not installed, as in the image', async () => {
  expect(await node(['node_modules/typescript/bin/tsc', '-b', 'libs/cli'])).toEqual({ code: 0, output: '' });
  const folder = await tempFolder();
  const cli = join(folder.path, 'libs/cli');
  await cp(join(root, 'libs/cli'), cli, { recursive: true });
  await mkdir(join(folder.path, 'node_modules'));
  for (const name of ['@earshot', 'commander', 'typebox']) {
    await symlink(join(root, 'node_modules', name), join(folder.path, 'node_modules', name));
  }
  const ran = await node([join(cli, 'bin/earshot.mjs'), 'lanes', 'list', '--url', 'http://127.0.0.1:1']);
  expect(ran.code).toBe(1);
  expect(ran.output).toContain('unreachable: http://127.0.0.1:1 does not answer\n');
  await folder.remove();
});

it('ends with 130 at Ctrl-C, which reaches all processes of a terminal', async () => {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const asked = once(server, 'request');
  const command = [
    join(root, 'libs/cli/bin/earshot.mjs'),
    'lanes',
    'list',
    '--url',
    `http://127.0.0.1:${port}`,
  ];
  const child = spawn(process.execPath, command, { detached: true, stdio: 'ignore' });
  const ended = once(child, 'exit');
  await asked;
  if (child.pid) process.kill(-child.pid, 'SIGINT');
  expect(await ended).toEqual([130, null]);
  server.closeAllConnections();
  server.close();
});
