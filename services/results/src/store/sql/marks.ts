import type { Transaction } from '../database.ts';

/** Takes or extends a lease; false while somebody else holds it. Only the database's clock counts. */
export async function takeLease(
  tx: Transaction,
  lease: { name: string; holder: string; ttlMs: number },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `INSERT INTO marks (name, holder, expires_at)
     VALUES ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
     ON CONFLICT (name) DO UPDATE
     SET holder = EXCLUDED.holder, expires_at = EXCLUDED.expires_at, updated_at = now()
     WHERE marks.holder IS NULL OR marks.holder = EXCLUDED.holder OR marks.expires_at < clock_timestamp()`,
    [lease.name, lease.holder, lease.ttlMs],
  );
  return rowCount === 1;
}

/** Gives a lease back early; nothing happens when it is somebody else's by now. */
export async function dropLease(tx: Transaction, lease: { name: string; holder: string }): Promise<void> {
  await tx.query('UPDATE marks SET holder = NULL, expires_at = NULL WHERE name = $1 AND holder = $2', [
    lease.name,
    lease.holder,
  ]);
}

/** Notes that everything up to a stream sequence was stored; it never goes back. */
export async function advancePosition(tx: Transaction, name: string, position: number): Promise<void> {
  await tx.query(
    `INSERT INTO marks (name, position) VALUES ($1, $2)
     ON CONFLICT (name) DO UPDATE SET position = EXCLUDED.position, updated_at = now()
     WHERE marks.position IS NULL OR marks.position < EXCLUDED.position`,
    [name, position],
  );
}

/** Positions by name, of those that were ever noted. */
export async function readPositions(tx: Transaction): Promise<Map<string, number>> {
  const { rows } = await tx.query<{ name: string; position: number }>(
    'SELECT name, position FROM marks WHERE position IS NOT NULL',
  );
  return new Map(rows.map(({ name, position }) => [name, position]));
}
