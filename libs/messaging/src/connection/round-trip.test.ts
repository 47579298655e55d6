import { STREAMS } from '@earshot/contracts';
import { applyTopology } from '@earshot/messaging';
import { expect, it } from 'vitest';
import { testTopology, useBroker } from '../../test/support.ts';
import { roundTrip } from './round-trip.ts';

const { broker } = useBroker();

const messages = async () =>
  (await broker().api.call<{ state: { messages: number } }>(`STREAM.INFO.${STREAMS.workers}`)).state.messages;

it('goes through a stream and leaves nothing in it', async () => {
  await applyTopology(broker(), testTopology(['sherpa']));
  await roundTrip(broker());
  expect(await messages()).toBe(0);
});

it('fails when JetStream answers but stores nothing', async () => {
  await applyTopology(broker(), testTopology(['sherpa']));
  await broker().api.call(`STREAM.DELETE.${STREAMS.workers}`);
  await expect(roundTrip(broker())).rejects.toThrow();
});
