import { defineConfig } from 'vitest/config';

const conditions = ['@earshot/source'];

/** The long runs of `npm run test:chaos`, one after another: their figures want the machine for themselves. */
export default defineConfig({
  root: import.meta.dirname,
  ssr: { resolve: { conditions } },
  resolve: { conditions },
  test: {
    include: ['services/combined/test/faults/*.chaos.ts'],
    environment: 'node',
    fileParallelism: false,
    retry: 0,
    testTimeout: 1_800_000,
    hookTimeout: 300_000,
    provide: {
      chaos: { full: process.env.CHAOS_FULL === 'yes', seed: Number(process.env.CHAOS_SEED ?? 1) },
    },
  },
});
