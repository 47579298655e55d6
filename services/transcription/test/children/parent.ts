import { createChildPool } from '../../src/children/child-pool.ts';
import { silentLog } from '../fakes.ts';

/** A parent to be killed: it has one odd child that works for ever, and tells its process id. */
const pool = createChildPool({
  engine: 'odd',
  settings: 'model',
  size: 1,
  entry: new URL('./odd-child.ts', import.meta.url),
  log: silentLog,
});
void pool.run(
  { channels: [], duration_ms: 0 },
  { language: 'patient' },
  {
    signal: new AbortController().signal,
    deadlineMs: 600_000,
    onHeartbeat: () => process.send?.({ child: pool.pids()[0] }),
  },
);
