import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/schema';

const ms = Type.Integer({ minimum: 0 });

/**
 * What a paid engine may still cost today: an entry of the bucket `spend`, one for each engine with a budget. Results makes
 * it from its table `usage`, and again after a loss; workers add what they are about to spend, by compare-and-set.
 */
export const SpendSchema = Type.Object({
  /** The end of the UTC day that it is about, RFC 3339; until results begins the next one, it holds on. */
  resets_at: Type.String(),
  /** Milliseconds of audio that were charged for, by tenant. */
  billed: Type.Record(Type.String(), ms),
  /** Calls that are made, or about to be, and whose price results does not know yet. */
  reserved: Type.Record(Type.String(), Type.Object({ tenant_id: Type.String(), ms })),
  /** Tenants whose last call was refused for the budget; `*` when there was nothing left for anybody. */
  refused: Type.Array(Type.String()),
});
export type Spend = Static<typeof SpendSchema>;

/** Stands in `refused` for all tenants. */
export const ALL_TENANTS = '*';

const shape = Compile(SpendSchema);

/** Reads an entry; undefined when it is not one, as from another version. */
export function parseSpend(json: string): Spend | undefined {
  try {
    const document: unknown = JSON.parse(json);
    return shape.Check(document) ? document : undefined;
  } catch {
    return undefined;
  }
}

/** Milliseconds that are billed or reserved, of one tenant or of all. */
export function spentMs({ billed, reserved }: Spend, tenant?: string): number {
  const mine = (owner: string) => tenant === undefined || owner === tenant;
  const parts = [
    ...Object.entries(billed).map(([owner, ms]) => (mine(owner) ? ms : 0)),
    ...Object.values(reserved).map(({ tenant_id, ms }) => (mine(tenant_id) ? ms : 0)),
  ];
  return parts.reduce((sum, ms) => sum + ms, 0);
}

/** Names a chunk's call in `reserved`: whoever takes the chunk over finds it reserved. */
export const reservationOf = (chunk: { transcript_id: string; plan: number; n: number }) =>
  `${chunk.transcript_id}/${chunk.plan}-${chunk.n}`;

const RESERVATION = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/(\d{1,9})-(\d{1,9})$/;

/** The chunk of a reservation; undefined for a name of another form. */
export function parseReservation(
  name: string,
): { transcript_id: string; plan: number; n: number } | undefined {
  const [, transcript_id, plan, n] = RESERVATION.exec(name) ?? [];
  return transcript_id ? { transcript_id, plan: Number(plan), n: Number(n) } : undefined;
}
