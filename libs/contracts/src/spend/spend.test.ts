import { Compile } from 'typebox/schema';
import { describe, expect, it } from 'vitest';
import { settings } from '../settings.ts';
import { budgetProblems, budgetsFrom, parseBudget } from './budget.ts';
import { parseReservation, parseSpend, reservationOf, type Spend, spentMs } from './document.ts';

const schema = Compile(settings.EARSHOT_GOOGLE_DAILY_BUDGET_MINUTES);
const NAME = 'EARSHOT_GOOGLE_DAILY_BUDGET_MINUTES';

describe('a budget', () => {
  it.each([
    ['600', 36_000_000, {}],
    ['600,acme=60', 36_000_000, { acme: 3_600_000 }],
    ['acme=60,zenith=0', undefined, { acme: 3_600_000, zenith: 0 }],
    ['0', 0, {}],
    ['600,600=5', 36_000_000, { 600: 300_000 }],
  ])('%s', (value, total, tenants) => {
    const budget = parseBudget(value);
    expect([budget.total, Object.fromEntries(budget.tenants)]).toEqual([total, tenants]);
  });

  it.each(['', '-1', '1.5', '60,600', 'acme', 'acme=', 'acme=60,600', '600, acme=6', 'Acme=6', '12345678'])(
    '%j is none',
    (value) => {
      expect(schema.Check(value)).toBe(false);
    },
  );

  it('names each tenant once', () => {
    expect(budgetProblems({ [NAME]: '600,acme=1,zenith=2,acme=3' })).toEqual([
      `${NAME} names acme more than once`,
    ]);
    expect(budgetProblems({ [NAME]: '600,acme=1' })).toEqual([]);
    expect(budgetProblems({})).toEqual([]);
  });

  it('is for nobody where none is set', () => {
    expect([...budgetsFrom({})]).toEqual([]);
    expect([...budgetsFrom({ [NAME]: '1' }).keys()]).toEqual(['google']);
  });
});

describe('the spend of a day', () => {
  const spend: Spend = {
    resets_at: '2026-11-27T00:00:00.000Z',
    billed: { acme: 5 },
    reserved: { 'id/1-0': { tenant_id: 'acme', ms: 7 }, 'id/1-1': { tenant_id: 'zenith', ms: 11 } },
    refused: ['*'],
  };

  it('is read as it was written, and anything else is none', () => {
    expect(parseSpend(JSON.stringify(spend))).toEqual(spend);
    for (const json of ['', '{', '{}', '[]', JSON.stringify({ ...spend, billed: { acme: -1 } })])
      expect(parseSpend(json)).toBeUndefined();
  });

  it('is what is billed and what is reserved', () => {
    expect([spentMs(spend), spentMs(spend, 'acme'), spentMs(spend, 'zenith'), spentMs(spend, 'x')]).toEqual([
      23, 12, 11, 0,
    ]);
  });

  it('names reservations by their chunks', () => {
    const chunk = { transcript_id: '9f3b6e0c-4c0f-5d0a-8a63-0d5f1f6f2a10', plan: 2, n: 17 };
    expect(parseReservation(reservationOf(chunk))).toEqual(chunk);
    for (const name of [
      '',
      'x/1-0',
      `${'-'.repeat(36)}/1-0`,
      `${chunk.transcript_id}/1`,
      `${chunk.transcript_id}/1-0/2`,
    ])
      expect(parseReservation(name)).toBeUndefined();
  });
});
