import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ServerOfFile, startServerFile, tempFolder } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { repositoryRoot } from './fence-workspace.ts';

const values = parse(await readFile(join(repositoryRoot, 'k8s/components/nats/values.yaml'), 'utf8'));
const { config, container } = values;
let folder: Awaited<ReturnType<typeof tempFolder>>;
let server: ServerOfFile;

/** The file that the chart makes of its own settings and `config.merge`; what stands in << >> it leaves without quotes. */
function fileOfChart(): string {
  const { jetstream, ...merge } = config.merge;
  const own = { server_name: '<< $SERVER_NAME >>', listen: '0.0.0.0:4222', http: '0.0.0.0:8222' };
  const whole = { ...own, ...merge, jetstream: { store_dir: '/data', max_memory_store: 0, ...jetstream } };
  return JSON.stringify(whole, undefined, 1).replaceAll(/"<< ([^"]*) >>"/g, '$1');
}

beforeAll(async () => {
  folder = await tempFolder();
  const file = join(folder.path, 'nats.conf');
  await writeFile(file, fileOfChart());
  const passwords = Object.keys(container.env).map((name) => [name, `p-${name}`]);
  server = await startServerFile(file, { SERVER_NAME: 'nats-0', ...Object.fromEntries(passwords) });
});
afterAll(async () => {
  await server?.dispose();
  await folder?.remove();
});

it('what the chart makes of our values is a file that nats-server starts with', async () => {
  const log = await server.log();
  expect(log).toContain('Server is ready');
  expect(log).not.toMatch(/\[(ERR|FTL)\]/);
});

it('every user may do what the table of permissions says, and nothing else', async () => {
  const table = JSON.parse(await readFile(join(repositoryRoot, 'deploy/nats/permissions.json'), 'utf8'));
  const users: { user: string; permissions: unknown }[] = config.merge.accounts.EARSHOT.users;
  const names = ['init', 'ingest', 'transcription', 'results', 'publisher', 'consumer'];
  expect(users.map(({ user }) => user)).toEqual(names);
  for (const { user, permissions } of users) expect(permissions, user).toEqual(table[user]);
});

it('the chart is told to run a server that is new enough', () => {
  const [major, minor, patch] = String(container.image?.tag).split(/[.-]/).map(Number) as [
    number,
    number,
    number,
  ];
  expect(major * 1_000_000 + minor * 1_000 + patch).toBeGreaterThanOrEqual(2_014_003);
});
