import { CodedError } from '@earshot/domain';
import type { Broker } from './broker.ts';
import { ERR, JsApiError } from './js-api.ts';

/** The oldest nats-server whose known faults do not break our promises (JETSTREAM.md). */
export const OLDEST_SERVER = '2.14.3';

/** True when `version` is `oldest` or newer; a pre-release counts as its release. */
export function isAtLeast(version: string, oldest: string): boolean {
  const [left, right] = [version, oldest].map((text) => text.split(/[.-]/).slice(0, 3).map(Number));
  for (const [index, part] of (right ?? []).entries()) {
    const own = left?.[index] ?? 0;
    if (own !== part) return own > part;
  }
  return true;
}

/** Throws `unavailable` with what to do when the server is too old or has no JetStream for this account. */
export async function checkServer(broker: Broker): Promise<void> {
  const version = broker.connection.info?.version ?? 'unknown';
  if (!isAtLeast(version, OLDEST_SERVER)) {
    throw new CodedError(
      'unavailable',
      `nats-server ${version} is too old: install ${OLDEST_SERVER} or newer`,
    );
  }
  if (!broker.connection.info?.jetstream) throw withoutJetStream();
  try {
    await broker.api.call('INFO', {}, 10_000);
  } catch (error) {
    const off: readonly number[] = [ERR.jetStreamNotEnabled, ERR.jetStreamNotEnabledForAccount];
    if (error instanceof JsApiError && off.includes(error.errCode)) throw withoutJetStream();
    throw error;
  }
}

const withoutJetStream = () =>
  new CodedError(
    'unavailable',
    'nats-server runs without JetStream for this account: add a `jetstream` block to its configuration',
  );
