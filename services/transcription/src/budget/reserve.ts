import { ALL_TENANTS, type Budget, type Spend, spentMs } from '@earshot/contracts';

/** A call that is about to be made. */
export interface WantedCall {
  /** By `reservationOf`. */
  readonly name: string;
  readonly tenant: string;
  /** What it is taken to cost, in milliseconds of audio. */
  readonly ms: number;
}

/** Whose budget a call does not fit into any more; undefined: it fits. */
export function whoseLimit(spend: Spend, budget: Budget, call: WantedCall): 'all' | 'tenant' | undefined {
  const own = budget.tenants.get(call.tenant);
  if (budget.total !== undefined && spentMs(spend) + call.ms > budget.total) return 'all';
  return own !== undefined && spentMs(spend, call.tenant) + call.ms > own ? 'tenant' : undefined;
}

/** The entry with the call in it; whoever was refused before is not any more. */
export function withCall(spend: Spend, { name, tenant, ms }: WantedCall): Spend {
  const refused = spend.refused.filter((one) => one !== tenant && one !== ALL_TENANTS);
  return { ...spend, reserved: { ...spend.reserved, [name]: { tenant_id: tenant, ms } }, refused };
}

/** The entry without a call that was not made. */
export function withoutCall(spend: Spend, name: string): Spend {
  const { [name]: _, ...reserved } = spend.reserved;
  return { ...spend, reserved };
}

/** The entry that tells whom a call was refused; the same one when it tells that already. */
export function withRefusal(spend: Spend, whose: string): Spend {
  return spend.refused.includes(whose) ? spend : { ...spend, refused: [...spend.refused, whose] };
}
