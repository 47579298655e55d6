import { createInterface } from 'node:readline';
import { resolvePostgres } from '../src/postgres/resolve.ts';
import { startPostgres } from '../src/postgres/start.ts';

/** Starts PostgreSQL on the folder it is given, says what runs, and stops it when told anything. */
const [dataDir = '', cacheDir = ''] = process.argv.slice(2);
const installation = await resolvePostgres({ cacheDir });
const server = await startPostgres({ installation, dataDir });
const { url, pid, adopted, place } = server;
process.stdout.write(`${JSON.stringify({ url, pid, adopted, place, runAs: installation.runAs ?? null })}\n`);
for await (const _ of createInterface({ input: process.stdin })) break;
await server.stop();
process.exit(0);
