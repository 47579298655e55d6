import { readFile } from 'node:fs/promises';
import type { NatsPermissions, TestBroker, TestBrokerOptions } from '@earshot/testkit';

const TABLE = new URL('../../../deploy/nats/permissions.json', import.meta.url);
const TEST = 'test';

/** What each program may do in NATS, as operators set it. */
export const readPermissions = async (): Promise<Record<string, NatsPermissions>> =>
  JSON.parse(await readFile(TABLE, 'utf8')) as Record<string, NatsPermissions>;

/** A user for each program with its least privileges and `password`; who gives none comes in as the test and may do all. */
export async function programUsers(password: string): Promise<TestBrokerOptions> {
  const permissions = await readPermissions();
  const users = [TEST, ...Object.keys(permissions)].map((user) => [user, password]);
  return { users: Object.fromEntries(users), permissions, guest: TEST };
}

/** The settings by which a program comes in as its user. */
export const loginOf = (program: string, password: string): Record<string, string> => ({
  NATS_USER: program,
  NATS_PASSWORD: password,
  NATS_INBOX_PREFIX: `_INBOX_${program}`,
});

/** What programs wanted and may not, a line of the server's log each; read it before the broker goes. */
export const refusals = async (broker: Pick<TestBroker, 'log'>): Promise<string[]> =>
  (await broker.log()).match(/.*Violation.*/g) ?? [];
