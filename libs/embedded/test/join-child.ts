import { createInterface } from 'node:readline';
import { embeddedOptionsFromEnv } from '../src/options.ts';
import { startOrJoinServers } from '../src/servers/shared-servers.ts';

/** Joins the servers of the home it is given, says where they are, and leaves when told anything. */
const home = process.argv[2] ?? '';
const servers = await startOrJoinServers({ home, options: embeddedOptionsFromEnv(process.env) });
const { natsUrl, databaseUrl, owned } = servers;
process.stdout.write(`${JSON.stringify({ natsUrl, databaseUrl, owned })}\n`);
for await (const _ of createInterface({ input: process.stdin })) break;
await servers.leave();
process.exit(0);
