import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const root = import.meta.dirname;
const conditions = ['@earshot/source'];
const packages = ['libs', 'services'].flatMap((group) =>
  readdirSync(join(root, group))
    .map((name) => join(group, name))
    .filter((folder) => existsSync(join(root, folder, 'package.json'))),
);

/**
 * One project per package; the custom condition makes every package resolve to its source, so no build is needed.
 * Two workers and no retries: tests start real servers, and a test that fails sometimes is a failing test.
 */
export default defineConfig({
  root,
  ssr: { resolve: { conditions } },
  resolve: { conditions },
  test: {
    maxWorkers: 2,
    retry: 0,
    projects: [...packages, 'tools'].map((folder) => ({
      extends: true as const,
      root: join(root, folder),
      test: {
        name: folder.split('/').at(-1) ?? folder,
        include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'test/**/*.it.test.ts', '*.test.ts'],
        environment: 'node',
        testTimeout: 60_000,
        // The first hook that starts services from their builds makes these, which takes minutes on a busy machine.
        hookTimeout: 300_000,
      },
    })),
  },
});
