import { parseBudget, type Spend } from '@earshot/contracts';
import { expect, it } from 'vitest';
import { usedRatio } from './report-spend.ts';

const MINUTE = 60_000;
const spend = (over: Partial<Spend> = {}): Spend => ({
  resets_at: '',
  billed: { acme: 3 * MINUTE, zenith: MINUTE },
  reserved: { x: { tenant_id: 'acme', ms: MINUTE } },
  refused: [],
  ...over,
});

it('the fullest budget is told, with what is reserved', () => {
  expect(usedRatio(spend(), parseBudget('10'))).toBe(0.5);
  expect(usedRatio(spend(), parseBudget('10,acme=5,zenith=8'))).toBe(0.8);
  expect(usedRatio(spend({ billed: {}, reserved: {} }), parseBudget('10,acme=0'))).toBe(0);
});

it('a budget that refuses calls is used up, whatever is left of it', () => {
  expect(usedRatio(spend({ refused: ['acme'] }), parseBudget('600'))).toBe(1);
  expect(usedRatio(spend({ refused: ['acme'] }), parseBudget('acme=2'))).toBe(2);
});
