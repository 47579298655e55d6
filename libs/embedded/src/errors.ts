/** What went wrong, as a closed set; `help` of the error says what the reader can do about it. */
export type EmbeddedErrorCode =
  | 'NOT_FOUND'
  | 'TOO_OLD'
  | 'BAD_HASH'
  | 'BAD_ARCHIVE'
  | 'DOWNLOAD_FAILED'
  | 'UNSUPPORTED_PLATFORM'
  | 'DID_NOT_START'
  | 'PORT_IN_USE'
  | 'BUSY';

/** The only error this package throws on purpose (with {@link ServiceRunningError}); the message already contains the help. */
export class EmbeddedError extends Error {
  readonly code: EmbeddedErrorCode;
  readonly help: string | undefined;

  constructor(code: EmbeddedErrorCode, problem: string, help?: string, options?: ErrorOptions) {
    super(help === undefined ? problem : `${problem}\n${help}`, options);
    this.name = 'EmbeddedError';
    this.code = code;
    this.help = help;
  }
}

/** Another live process already runs this service on the same home; `url` is where it answers, if it said so. */
export class ServiceRunningError extends Error {
  readonly pid: number;
  readonly url: string | undefined;

  constructor(service: string, pid: number, url: string | undefined) {
    super(`${service} is already running${url === undefined ? '' : ` at ${url}`} (process ${pid}).`);
    this.name = 'ServiceRunningError';
    this.pid = pid;
    this.url = url;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node system error, else undefined. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
