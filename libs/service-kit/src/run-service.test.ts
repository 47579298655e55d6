import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';

const kit = new URL('./index.ts', import.meta.url).href;
let folder: Awaited<ReturnType<typeof tempFolder>>;
beforeAll(async () => {
  folder = await tempFolder();
});
afterAll(() => folder.remove());

/** Runs a service whose `start` is the given source, and resolves when it has printed `started`. */
async function run(
  start: string,
): Promise<{ child: ChildProcess; output: () => string; exit: Promise<unknown[]> }> {
  const script = join(folder.path, `${crypto.randomUUID()}.mts`);
  await writeFile(
    script,
    `import { runService, createLogger } from '${kit}';
     const never = new Promise<Error>(() => {});
     const log = createLogger({ service: 'test' });
     setInterval(() => {}, 1000);
     await runService({ log, graceMs: 5000, start: async () => (${start}) });
     console.log('started');`,
  );
  const child = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const exit = once(child, 'exit');
  const started = new Promise<void>((resolve) => {
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString();
      if (output.includes('started')) resolve();
    });
  });
  await Promise.race([started, exit]);
  return { child, output: () => output, exit };
}

it('closes the service on SIGTERM and exits 0', async () => {
  const service = await run(`{ close: async (grace) => console.log('closed within', grace), failed: never }`);
  service.child.kill('SIGTERM');
  expect(await service.exit).toEqual([0, null]);
  expect(service.output()).toContain('closed within 5000');
});

it('exits at once on a second signal', async () => {
  const service = await run(`{ close: () => new Promise(() => console.log('closing')), failed: never }`);
  const closing = once(service.child.stdout as NodeJS.ReadableStream, 'data');
  service.child.kill('SIGTERM');
  await closing;
  service.child.kill('SIGTERM');
  const [code] = await service.exit;
  expect(code).not.toBe(0);
});

it('closes what is left and exits 1 when a part fails for good', async () => {
  const service = await run(
    `{ close: async () => console.log('closed'), failed: new Promise((resolve) => setImmediate(resolve, new Error('nats is gone'))) }`,
  );
  expect(await service.exit).toEqual([1, null]);
  expect(service.output()).toContain('nats is gone');
  expect(service.output()).toContain('closed');
});

it('exits 0 when closing it ends a part that it could not live without', async () => {
  const service = await run(
    `((end) => ({ close: async () => end(new Error('closed by us')), failed: new Promise((resolve) => { end = resolve; }) }))()`,
  );
  service.child.kill('SIGTERM');
  expect(await service.exit).toEqual([0, null]);
  expect(service.output()).not.toContain('closed by us');
});

it('exits 1 when it cannot start', async () => {
  const service = await run(`await Promise.reject(new Error('no broker'))`);
  expect(await service.exit).toEqual([1, null]);
  expect(service.output()).toContain('no broker');
});
