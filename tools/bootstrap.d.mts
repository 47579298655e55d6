/** See bootstrap.mjs. */
export function requireNode(version?: string): void;
/** See bootstrap.mjs. */
export function installedPackages(root?: string): Promise<'dev' | 'prod' | undefined>;
/** See bootstrap.mjs. */
export function ensurePackages(options?: {
  dev?: boolean;
  root?: string;
  npm?: { command: string; first: string[] };
}): Promise<void>;
