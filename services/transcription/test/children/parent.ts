import { createChildPool } from '../../src/children/child-pool.ts';
import { silentLog } from '../fakes.ts';

/** A parent to be killed: starts one odd child, gives it the named task, and tells both process ids. */
const pool = createChildPool({
  engine: 'odd',
  settings: 'model',
  size: 1,
  entry: new URL('./odd-child.ts', import.meta.url),
  log: silentLog,
});
await pool.ready();
process.send?.({ child: pool.pids()[0] });
setInterval(() => {}, 1000);
