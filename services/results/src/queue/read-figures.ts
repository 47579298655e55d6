import type { JobLane } from '@earshot/contracts';
import { type Broker, type OldestJobs, oldestJobs } from '@earshot/messaging';
import type { Database } from '../store/database.ts';
import {
  type Backlog,
  backlog,
  concurrentUsers,
  type RecentWork,
  recentFailures,
  recentWork,
} from '../store/sql/figures.ts';
import { countOpenLetters } from '../store/sql/find-dead-letters.ts';

export interface FiguresDeps {
  readonly database: Database;
  readonly broker: Broker;
  /** Every lane of the installation. */
  readonly lanes: readonly JobLane[];
}

/** How far back "of late" goes. */
const RECENT_MINUTES = 15;

/** What takes longer to read than a scrape may take. */
export interface Figures {
  readonly oldest: OldestJobs;
  readonly backlog: readonly Backlog[];
  readonly users: number;
  readonly work: readonly RecentWork[];
  /** Pieces given up on of late. */
  readonly failures: number;
  /** Dead letters that nobody has dealt with, by stage. */
  readonly letters: ReadonlyMap<string, number>;
}

/**
 * Reads them from the broker and from one view of the database; throws `unavailable` when one is away. The figures of
 * `before` make it faster.
 */
export async function readFigures(
  { database, broker, lanes }: FiguresDeps,
  before?: Figures,
): Promise<Figures> {
  const [oldest, stored] = await Promise.all([
    oldestJobs(broker, lanes, before?.oldest),
    database.read(async (tx) => ({
      backlog: await backlog(tx),
      users: await concurrentUsers(tx),
      work: await recentWork(tx, RECENT_MINUTES),
      failures: await recentFailures(tx, RECENT_MINUTES),
      letters: await countOpenLetters(tx),
    })),
  ]);
  return {
    ...stored,
    oldest,
    letters: new Map(stored.letters.map(({ stage, letters }) => [stage, letters])),
  };
}
