import type { Topology } from '@earshot/contracts';
import { type Broker, factPosition, missingParts, streamBirths } from '@earshot/messaging';
import { FACTS_MARK } from '../facts/apply-facts.ts';
import type { Database } from '../store/database.ts';
import { advancePosition, readPositions } from '../store/sql/marks.ts';
import { findLoss } from './find-loss.ts';

const birthMark = (stream: string) => `born:${stream}`;

/** When each stream was made. */
type Births = ReadonlyMap<string, number>;

/** Compares the broker's streams with what PostgreSQL remembers of them; says why messages must be taken for lost. */
export async function lookForLoss(
  database: Database,
  broker: Broker,
  topology: Topology,
): Promise<{ readonly loss: string | undefined; readonly births: Births }> {
  const [missing, births, facts, positions] = await Promise.all([
    missingParts(broker, topology),
    streamBirths(broker, topology),
    factPosition(broker),
    database.read(readPositions),
  ]);
  const known = topology.streams.flatMap(({ name }) => {
    const at = positions.get(birthMark(name));
    return at === undefined ? [] : [[name, at] as const];
  });
  const knownBirths = new Map(known);
  const loss = findLoss({ missing, births, knownBirths, facts, storedUpTo: positions.get(FACTS_MARK) });
  return { loss, births };
}

/** Remembers streams as they were before a look: those made again during it are a loss for the next one. */
export async function rememberStreams(database: Database, births: Births): Promise<void> {
  await database.write(async (tx) => {
    for (const [name, at] of births) await advancePosition(tx, birthMark(name), at);
  });
}

/** Whether this installation had its streams before: then they are restored when they are missing, not waited for. */
export async function hadStreams(database: Database): Promise<boolean> {
  const positions = await database.read(readPositions);
  return [...positions.keys()].some((name) => name.startsWith(birthMark('')));
}
