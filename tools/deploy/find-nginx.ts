import type { TestProject } from 'vitest/node';
import { findNginx } from './debian-tools.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    /** The path of nginx. */
    nginx: string;
  }
}

/** Fetches nginx before the first test where it is missing. */
export default async function provideNginx(project: TestProject): Promise<void> {
  project.provide('nginx', await findNginx((line) => process.stdout.write(`${line}\n`)));
}
