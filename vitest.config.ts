import { readdirSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const conditions = ['@earshot/source'];
const packages = ['libs', 'services'].flatMap((group) =>
  readdirSync(group).map((name) => `${group}/${name}`),
);

/** One project per package; the custom condition makes every package resolve to its source, so no build is needed. */
export default defineConfig({
  ssr: { resolve: { conditions } },
  resolve: { conditions },
  test: {
    projects: [...packages, 'tools'].map((root) => ({
      extends: true as const,
      root,
      test: {
        name: root.split('/').at(-1) ?? root,
        include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'test/**/*.it.test.ts', '*.test.ts'],
        environment: 'node',
        testTimeout: 60_000,
        hookTimeout: 120_000,
      },
    })),
  },
});
