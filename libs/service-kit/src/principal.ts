import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import Type from 'typebox';
import { Compile } from 'typebox/schema';
import type { ConfigCheck } from './config.ts';
import { watchedFile } from './watched-file.ts';

/** What an API key may do. */
export const SCOPES = ['write', 'read', 'operate', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who is asking. */
export interface Principal {
  readonly tenant: string;
  readonly scopes: readonly Scope[];
}

const keysFile = Compile(
  Type.Object({
    keys: Type.Array(
      Type.Object({
        tenant: Type.String({ pattern: '^[a-z0-9-]{1,32}$' }),
        scopes: Type.Array(Type.Union(SCOPES.map((scope) => Type.Literal(scope)))),
        sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
      }),
    ),
  }),
);

/** Finds the principal of an `Authorization` header; undefined when the key is missing or unknown. */
export type Authenticate = (authorization: string | undefined) => Principal | undefined;

/** Everybody is `tenant` with all scopes, and any key that is sent is ignored: for listeners on loopback. */
export const openDoor =
  (tenant: string): Authenticate =>
  () => ({ tenant, scopes: SCOPES });

/**
 * Reads a keys file: `{"keys":[{"tenant","scopes":[...],"sha256"}]}`, the hash being SHA-256 of the key in hex. Keys
 * are random and looked up by hash, so timing tells nothing of them. Throws when the file is not of that form. Keys are taken
 * and given while the service runs: a changed file counts within a second; of one that cannot be used `onProblem` is told,
 * and the keys stay.
 */
export function keyedDoor(path: string, onProblem: (error: unknown) => void): Authenticate {
  const keys = watchedFile(path, () => readKeys(path), onProblem);
  return (authorization) => {
    const key = /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1];
    return key ? keys().get(createHash('sha256').update(key).digest('hex')) : undefined;
  };
}

function readKeys(path: string): ReadonlyMap<string, Principal> {
  const content = readKeysFile(path);
  if (!keysFile.Check(content)) {
    throw new Error('EARSHOT_API_KEYS_FILE must hold {"keys":[{"tenant":…,"scopes":[…],"sha256":…}]}');
  }
  return new Map(content.keys.map((key) => [key.sha256, { tenant: key.tenant, scopes: key.scopes }]));
}

function readKeysFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'it is not JSON';
    throw new Error(`EARSHOT_API_KEYS_FILE cannot be read: ${reason}`, { cause: error });
  }
}

/** True for addresses that only this machine reaches. */
export const isLoopback = (host: string) =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/** What keeps a listener from being opened, as a check of a configuration with HOST and EARSHOT_API_KEYS_FILE. */
export const doorProblems: ConfigCheck = ({ HOST, EARSHOT_API_KEYS_FILE }) => {
  if (typeof HOST !== 'string') return [];
  try {
    const keysFile = EARSHOT_API_KEYS_FILE as string | undefined;
    doorOf({ host: HOST, keysFile, tenant: '', log: { error: () => undefined } });
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
};

/**
 * The door of a listener: keys where there is a keys file and other machines can come, an open one on loopback, where
 * any key that is sent is ignored. Throws when other machines could come without a key.
 */
export function doorOf(listener: {
  host: string;
  keysFile: string | undefined;
  tenant: string;
  log: { error(fields: object, message: string): void };
}): Authenticate {
  if (isLoopback(listener.host)) return openDoor(listener.tenant);
  if (listener.keysFile)
    return keyedDoor(listener.keysFile, (err) =>
      listener.log.error({ err }, 'the API keys were changed and cannot be used: those before stay'),
    );
  throw new Error(`set EARSHOT_API_KEYS_FILE: HOST=${listener.host} can be reached from other machines`);
}
