import type { Client } from '@earshot/client';
import type { Environment } from './config.ts';
import type { Terminal } from './terminal.ts';

/** What every command gets. */
export interface CommandContext {
  readonly env: Environment;
  readonly terminal: Terminal;
  /** A client of the API that flags and settings name; throws a `ConfigError`. */
  readonly client: () => Client;
}
