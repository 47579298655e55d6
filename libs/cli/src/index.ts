export { type CliOptions, runCli } from './run-cli.ts';
export type { Output, Terminal } from './terminal.ts';
