import { defineConfig } from 'vitest/config';

const conditions = ['@earshot/source'];

/** What `npm run test:deploy` adds: checks that need programs which `npm test` must do without. */
export default defineConfig({
  root: import.meta.dirname,
  ssr: { resolve: { conditions } },
  resolve: { conditions },
  test: {
    include: ['tools/deploy/*.deploy.ts', 'libs/*/test/**/*.deploy.ts', 'services/*/test/**/*.deploy.ts'],
    globalSetup: ['tools/deploy/find-go-tools.ts', 'tools/deploy/find-nginx.ts'],
    environment: 'node',
    maxWorkers: 2,
    retry: 0,
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
});
