import assert from 'node:assert/strict';
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

/** Throws when a program wanted more than it may; call it before the broker goes. */
export async function assertNoRefusals(broker: Pick<TestBroker, 'log'>): Promise<void> {
  assert.deepEqual((await broker.log()).match(/.*Violation.*/g) ?? [], []);
}
