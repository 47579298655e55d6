import { describe, expect, it } from 'vitest';
import { planInstallation, rangeText } from './plan-installation.ts';
import { SIZES } from './sizes.ts';

describe('the plan of an installation', () => {
  it.each([
    [1, 'small', '1', '4', '4', '48–80'],
    [49, 'small', '1', '4', '4', '48–80'],
    [50, 'medium', '2–3', '3', '6–9', '72–180'],
    [199, 'medium', '2–3', '3', '6–9', '72–180'],
    [200, 'large', '4+', '2–3', '8+', '96+'],
    [999, 'large', '4+', '2–3', '8+', '96+'],
    [1000, 'enterprise', '10+', '2–3', '20+', '240+'],
  ])('for %i users is %s: %s × %s, %s at once, %s an hour', (users, size, ...figures) => {
    const plan = planInstallation(users);
    expect(plan.size).toBe(size);
    const { instances, concurrency, in_work, per_hour } = plan;
    expect([instances, concurrency, in_work, per_hour].map(rangeText)).toEqual(figures);
  });

  it.each(SIZES)('gives an instance of $name the memory that its work needs', ({ users }) => {
    const { needed, given } = planInstallation(Math.max(1, users)).memory_mb;
    expect(needed).toBeLessThanOrEqual(given);
  });

  it('shows its arithmetic', () => {
    expect(planInstallation(50).arithmetic).toEqual([
      '50 users: medium (small from 1, medium from 50, large from 200, enterprise from 1000)',
      'in work: 2–3 instances × 3 = 6–9 recordings at once',
      'throughput: 6–9 × 60 min ÷ 3–5 min each = 72–180 recordings an hour',
      'memory: 3 at once × 500 MB = 1500 MB needed of 2048 MB an instance',
    ]);
  });

  it.each([0, -1, 1.5, Number.NaN])('is refused for %s users', (users) => {
    expect(() => planInstallation(users)).toThrow(/at least 1/);
  });
});
