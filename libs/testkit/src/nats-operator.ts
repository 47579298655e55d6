import { encodeAccount, encodeOperator, encodeUser, fmtCreds, type Permissions } from '@nats-io/jwt';
import { createAccount, createOperator, createUser } from '@nats-io/nkeys';

/** What a user may do, as in a server file: `allow_responses` are answers to those who asked. */
export interface NatsPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  readonly allow_responses?: { readonly max: number; readonly expires: string };
}

/** A user made by an operator: the text of its credentials file, and the name by which it can be revoked. */
export interface NatsUser {
  readonly creds: string;
  readonly publicKey: string;
}

/** Who runs a managed NATS: signs accounts and users as `nsc` does, and hands the server no password at all. */
export interface NatsOperator {
  /** The lines of the server file that say who may come in; they change when a user is revoked. */
  access(): Promise<string>;
  /** Signs a user of the account; one without permissions may do all, one that expires is sent away then. */
  user(name: string, permissions?: NatsPermissions, expiresAt?: Date): Promise<NatsUser>;
  /** From the next reload on, `user` may come in no more. */
  revoke(user: NatsUser): void;
}

const UNLIMITED = { subs: -1, data: -1, payload: -1 };
const ACCOUNT = { conn: -1, leaf: -1, imports: -1, exports: -1, wildcards: true, ...UNLIMITED };
const seconds = (date: Date) => Math.floor(date.getTime() / 1000);

function permissionsOf(given: NatsPermissions | undefined): Permissions {
  if (!given) return {};
  const { publish, subscribe, allow_responses: responses } = given;
  return {
    pub: { allow: [...publish] },
    sub: { allow: [...subscribe] },
    ...(responses
      ? { resp: { max: responses.max, ttl: Number.parseInt(responses.expires, 10) * 1_000_000_000 } }
      : {}),
  };
}

/** A new operator with one account that has JetStream, and the system account that JetStream needs. */
export async function natsOperator(maxFile = 512 * 1024 * 1024): Promise<NatsOperator> {
  const [operatorKey, systemKey, accountKey] = [createOperator(), createAccount(), createAccount()];
  const system = systemKey.getPublicKey();
  const operator = await encodeOperator('test', operatorKey, { system_account: system });
  const systemAccount = await encodeAccount('SYS', systemKey, { limits: ACCOUNT }, { signer: operatorKey });
  const revocations: Record<string, number> = {};
  const storage = { mem_storage: 16 * 1024 * 1024, disk_storage: maxFile, streams: -1, consumer: -1 };
  const account = () =>
    encodeAccount(
      'EARSHOT',
      accountKey,
      { limits: { ...ACCOUNT, ...storage }, revocations },
      { signer: operatorKey },
    );
  return {
    access: async () => `
operator: ${operator}
system_account: ${system}
resolver: MEMORY
resolver_preload {
  ${system}: ${systemAccount}
  ${accountKey.getPublicKey()}: ${await account()}
}`,
    user: async (name, permissions, expiresAt) => {
      const key = createUser();
      const claims = { ...UNLIMITED, ...permissionsOf(permissions) };
      const jwt = await encodeUser(
        name,
        key,
        accountKey,
        claims,
        expiresAt ? { exp: seconds(expiresAt) } : {},
      );
      return { creds: Buffer.from(fmtCreds(jwt, key)).toString(), publicKey: key.getPublicKey() };
    },
    revoke: ({ publicKey }) => {
      revocations[publicKey] = seconds(new Date());
    },
  };
}
