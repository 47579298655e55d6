import type { TestProject } from 'vitest/node';
import { GO_TOOLS, type GoTool, goTool } from './go-tools.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    /** Paths of the programs by name. */
    goTools: Record<GoTool, string>;
  }
}

/** Builds what is missing before the first test, so that no test waits for a compiler. */
export default async function findGoTools(project: TestProject): Promise<void> {
  const paths: Partial<Record<GoTool, string>> = {};
  for (const name of GO_TOOLS) paths[name] = await goTool(name, (line) => process.stdout.write(`${line}\n`));
  project.provide('goTools', paths as Record<GoTool, string>);
}
