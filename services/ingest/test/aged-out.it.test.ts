import { purge } from '@earshot/messaging';
import { eventually } from '@earshot/testkit';
import { expect, it } from 'vitest';
import { openIngest } from './ingest-world.ts';

const FACTS_SECONDS = 4;

it('starts no second run for an event that comes again after its acceptance has aged out of the stream', async () => {
  const world = await openIngest({ factsDays: FACTS_SECONDS / 86_400 });
  const event = JSON.stringify({
    specversion: '1.0',
    type: 'earshot.recording.uploaded.v1',
    source: 'test',
    id: 'late',
    data: { uri: 'default/in/late.wav' },
  });
  const countOf = async (stream: string) => Object.keys(await world.subjects(stream)).length;
  for (let repeat = 0; repeat < 3; repeat++) await world.publish('uploads.default', event);
  await eventually('the split job', async () => (await countOf('JOBS')) === 1);
  await eventually('all three to be taken', async () => (await world.uploadsLeft()) === 0);
  expect(await countOf('TRANSCRIPTS')).toBe(1);
  // The work is done, and what it left on the broker is forgotten.
  await purge(world.broker, { stream: 'JOBS' });
  await eventually('the facts to age out', async () => (await countOf('TRANSCRIPTS')) === 0, 20_000);
  await world.publish('uploads.default', event);
  await eventually('the late one to be taken', async () => (await world.uploadsLeft()) === 0);
  expect(await countOf('JOBS')).toBe(0);
  expect(world.ingest.counts).toMatchObject({ left: 1 });
  await world.close();
});
