import type { StandingAdvice } from '../../scaling/steady-advice.ts';
import type { Transaction } from '../database.ts';

const NAME = 'workers';

/** The advice that stands; locks it until the end of the transaction. */
export async function lockAdvice(tx: Transaction): Promise<StandingAdvice | undefined> {
  await tx.query(
    `INSERT INTO scaling_advice (name, advice, changed_at) VALUES ($1, 'null', '-infinity') ON CONFLICT DO NOTHING`,
    [NAME],
  );
  const { rows } = await tx.query<{ advice: Omit<StandingAdvice, 'changedAt'> | null; changed_at: Date }>(
    'SELECT advice, changed_at FROM scaling_advice WHERE name = $1 FOR UPDATE',
    [NAME],
  );
  const row = rows[0];
  return row?.advice ? { ...row.advice, changedAt: row.changed_at.getTime() } : undefined;
}

/** Keeps the advice that stands from now on. */
export async function keepAdvice(tx: Transaction, { changedAt, ...advice }: StandingAdvice): Promise<void> {
  await tx.query('UPDATE scaling_advice SET advice = $2, changed_at = $3 WHERE name = $1', [
    NAME,
    JSON.stringify(advice),
    new Date(changedAt),
  ]);
}
