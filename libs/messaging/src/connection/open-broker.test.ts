import { afterEach, describe, expect, it } from 'vitest';
import { useBroker } from '../../test/support.ts';
import { findStream } from '../topology/lookup.ts';
import type { Broker } from './broker.ts';
import { openBroker } from './open-broker.ts';

describe('opening a broker', () => {
  const { broker, server, log } = useBroker();
  const opened: Broker[] = [];
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  async function open(topology: 'verify' | 'apply' | 'restore', ackWait = 5) {
    const config = {
      NATS_URL: server().url,
      ...{
        NATS_INBOX_PREFIX: '_INBOX',
        EARSHOT_ENGINES: 'fake',
        EARSHOT_ACK_WAIT_SECONDS: ackWait,
        EARSHOT_FACTS_DAYS: 7,
      },
      EARSHOT_NATS_REPLICAS: 1,
    };
    const one = await openBroker({ config, name: 'test', log, topology });
    opened.push(one);
    return one;
  }

  it('refuses without streams, unless it is to make or restore them', async () => {
    await expect(open('verify')).rejects.toThrow('apply the topology first: stream UPLOADS is missing');
    await open('restore');
    expect(await findStream(broker().api, 'JOBS')).toBeDefined();
    await open('verify');
  });

  it('restores what is missing, and does not take other settings for a loss', async () => {
    await open('apply');
    await expect(open('restore', 30)).rejects.toThrow('apply the topology first');
    await broker().api.call('STREAM.DELETE.JOBS');
    await open('restore');
    expect(await findStream(broker().api, 'JOBS')).toBeDefined();
  });
});
