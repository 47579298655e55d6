import { factSubjects } from '@earshot/contracts';
import { openBroker } from '@earshot/messaging';
import { openFileStorage } from '@earshot/storage-file';
import { eventually, startTestBroker, tempFolder, testDatabase } from '@earshot/testkit';
import { expect, it } from 'vitest';
import { migrate, readConfig, startResults } from '../src/service.ts';
import { factsOf } from './facts.ts';
import { log } from './fixture.ts';

const MAX_FILE = 4 * 1024 * 1024;

it('takes more facts than their stream can hold, and loses none', async () => {
  const [nats, postgres, folder] = await Promise.all([
    startTestBroker({ maxFile: MAX_FILE }),
    testDatabase(),
    tempFolder(),
  ]);
  const config = readConfig({
    NATS_URL: nats.url,
    DATABASE_URL: postgres.url,
    EARSHOT_STORAGE_URL: `file:${folder.path}`,
  });
  await migrate(config.DATABASE_URL);
  const storage = await openFileStorage({ root: folder.path });
  const broker = await openBroker({ config, name: 'results-test', log, topology: 'apply' });
  const results = startResults({ config, broker, storage, log });
  const text = 'word '.repeat(400);
  const ids: string[] = [];
  for (let n = 0; n < 120; n++) {
    const facts = factsOf();
    ids.push(facts.id);
    for (const { subject, event } of [facts.accepted(), facts.chunk(0, text), facts.split(1)]) {
      // What a worker does with a store that is full: later, and no attempt burnt.
      await eventually(
        'room',
        () =>
          event &&
          broker.publisher.publish({ subject, event }).then(
            () => true,
            () => false,
          ),
        30_000,
      );
    }
  }
  const [last = ''] = ids.slice(-1);
  await eventually(
    'the last final fact',
    () => broker.facts.last(factSubjects('default', last).final('completed')),
    30_000,
  );
  const reader = await results.checks.database().then(() => postgres.url);
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: reader });
  await client.connect();
  const { rows } = await client.query(
    "SELECT count(*)::int AS n FROM transcripts WHERE status = 'completed'",
  );
  await client.end();
  expect(rows[0].n).toBe(ids.length);
  await results.close(5_000);
  await broker.drain();
  await storage.close();
  await Promise.all([nats.dispose(), postgres.drop()]);
  await folder.remove();
});
