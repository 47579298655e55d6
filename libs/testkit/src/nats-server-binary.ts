import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Path of the nats-server that tests run. */
export async function natsServerBinary(): Promise<string> {
  const path = process.env.EARSHOT_NATS_SERVER_BIN ?? join(homedir(), '.cache/earshot-dev/nats-server');
  await access(path);
  return path;
}
