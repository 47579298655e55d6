import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.ts';
import { ServiceRunningError } from '../errors.ts';
import { claimService, runningService } from './claim.ts';

test('a second start is told who runs and where, until the first gives it back', async () => {
  const service = { home: temporaryFolder(), name: 'combined' };
  const claim = await claimService(service);
  await claim.announce('http://127.0.0.1:8080');
  const refused = await claimService(service).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ServiceRunningError);
  expect(refused).toMatchObject({ pid: process.pid, url: 'http://127.0.0.1:8080' });
  expect(await runningService(service)).toEqual({ pid: process.pid, url: 'http://127.0.0.1:8080' });
  await claim.release();
  await claim.release();
  expect(await runningService(service)).toBeUndefined();
  await (await claimService(service)).release();
});

test('one of two at the same time gets it', async () => {
  const service = { home: temporaryFolder(), name: 'combined' };
  const results = await Promise.allSettled([claimService(service), claimService(service)]);
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});

test('a claim of a dead process does not count, also when its number was given to another', async () => {
  const home = temporaryFolder();
  await mkdir(join(home, 'services'));
  const dead = { pid: process.pid, start: 'another life', url: 'http://old' };
  await writeFile(join(home, 'services', 'combined.json'), JSON.stringify(dead));
  expect(await runningService({ home, name: 'combined' })).toBeUndefined();
  await (await claimService({ home, name: 'combined' })).release();
});
