import { statfs } from 'node:fs/promises';

const LARGEST_DEFAULT = 10_000_000_000;
const MAX_MEMORY_BYTES = 256_000_000;

/** What goes into nats.conf. `monitorPort` undefined: no monitoring. */
export interface NatsConfig {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly monitorPort: number | undefined;
  readonly storeDir: string;
  readonly maxFileBytes: number;
}

/**
 * The configuration of a local server: every message synced to disk before it is acknowledged, one account whose limits a
 * client can read, no password, as it listens on the loopback only.
 */
export function natsConfigText(c: NatsConfig): string {
  const quoted = (text: string) => JSON.stringify(text);
  return `# Written by Earshot at every start; changes are lost.
server_name: ${quoted(c.name)}
listen: ${quoted(`${c.host}:${c.port}`)}
${c.monitorPort === undefined ? '' : `http: "127.0.0.1:${c.monitorPort}"\n`}max_payload: 1MB
ping_interval: "10s"
jetstream {
  store_dir: ${quoted(c.storeDir)}
  max_file_store: ${c.maxFileBytes}
  max_memory_store: ${MAX_MEMORY_BYTES}
  sync_interval: always
}
accounts {
  EARSHOT {
    jetstream { max_file: ${c.maxFileBytes}, max_mem: ${MAX_MEMORY_BYTES} }
    users: [ { user: "earshot", password: "earshot" } ]
  }
}
no_auth_user: "earshot"
`;
}

/** A quarter of the free disk, at most 10 GB, in bytes. */
export async function defaultMaxFileBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return Math.min(LARGEST_DEFAULT, Math.floor((bavail * bsize) / 4));
}
