import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { factSubjects } from '@earshot/contracts';
import { eventually, freePort, tempFolder } from '@earshot/testkit';
import { expect, it } from 'vitest';
import { form, openIngest, wav } from './ingest-world.ts';

it('runs as a process of its own, takes a recording and stops at SIGTERM', async () => {
  const world = await openIngest();
  await world.ingest.close(1_000);
  const folder = await tempFolder();
  const port = await freePort();
  const child = spawn(
    process.execPath,
    ['--conditions=@earshot/source', '--import', 'tsx', join(import.meta.dirname, '../src/main.ts')],
    {
      env: {
        PATH: process.env.PATH,
        PORT: String(port),
        NATS_URL: world.server.url,
        EARSHOT_ACK_WAIT_SECONDS: '5',
        EARSHOT_STORAGE_URL: `file://${folder.path}`,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const exited = once(child, 'exit');
  const url = `http://127.0.0.1:${port}`;
  await eventually('ingest to be ready', async () => (await fetch(`${url}/readyz`)).ok, 30_000);
  const response = await fetch(`${url}/v1/recordings`, { method: 'POST', body: form({ file: wav() }) });
  const { id } = (await response.json()) as { id: string };
  await eventually('the acceptance', () => world.broker.facts.last(factSubjects('default', id).accepted));
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  await folder.remove();
  await world.close();
});

it('prints what is wrong with its settings and ends with 2', async () => {
  const main = join(import.meta.dirname, '../src/main.ts');
  const child = spawn(process.execPath, ['--conditions=@earshot/source', '--import', 'tsx', main], {
    env: { PATH: process.env.PATH, EARSHOT_TYPO: '1', PORT: 'x' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr += String(data);
  });
  expect((await once(child, 'exit'))[0]).toBe(2);
  for (const name of ['EARSHOT_TYPO', 'PORT', 'EARSHOT_STORAGE_URL']) expect(stderr).toContain(name);
});
