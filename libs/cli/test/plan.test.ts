import { describe, expect, it } from 'vitest';
import { run } from './api.ts';

const plan = (...args: string[]) => run(['plan', ...args], {});

describe('a plan', () => {
  it.each([
    ['49', 'small: 1 × 4'],
    ['50', 'medium: 2–3 × 3'],
    ['200', 'large: 4+ × 2–3'],
    ['1000', 'enterprise: 10+ × 2–3'],
  ])('for %s users begins with %s, and shows its arithmetic', async (users, line) => {
    const { stdout, code } = await plan('--users', users);
    expect(stdout.split('\n')[0]).toContain(line);
    expect(stdout).toMatch(/throughput: .* = \S+ recordings an hour/);
    expect(code).toBe(0);
  });

  it('is told to programs as JSON', async () => {
    const { stdout } = await plan('--users', '50', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ size: 'medium', instances: { min: 2, max: 3 } });
  });

  it.each([[[]], [['--users', 'many']], [['--users', '0']]])('is not made of %j', async (args) => {
    expect((await plan(...args)).code).toBe(2);
  });
});
