import { parseArgs } from 'node:util';

/** What was asked for on the command line. */
export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'serve' }
  | {
      readonly kind: 'submit';
      readonly paths: readonly string[];
      readonly sample: boolean;
      readonly format: Format;
    };

export const FORMATS = ['txt', 'srt', 'vtt', 'json'] as const;
export type Format = (typeof FORMATS)[number];

/** Thrown for arguments that make no sense; the message says what would. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const HELP = `Earshot: recordings in, transcripts out, nothing lost.

  npm start                              run everything on http://127.0.0.1:8080 until Ctrl-C
  npm start -- talk.mp3 call.wav         transcribe recordings and print their transcripts
  npm start -- --sample                  transcribe the sample recordings that come with the model
  npm start -- talk.mp3 --format srt     txt (default), srt, vtt or json
  npm run doctor                         show what was found where, and what is missing

Recordings go through the running Earshot of this folder if there is one, else through one that is started for them.
Settings are environment variables (docs/configuration.md), among them PORT, HOST, NATS_URL, DATABASE_URL,
WORKER_CONCURRENCY (2) and EARSHOT_HOME (.earshot, where data is kept).

Exit: 0 done, 1 a recording failed, 2 wrong usage or configuration, 130 interrupted.
`;

/** Reads the arguments after the script's name. Throws {@link UsageError}. */
export function parseCommandLine(args: readonly string[]): Command {
  const options = {
    help: { type: 'boolean', short: 'h' },
    sample: { type: 'boolean' },
    format: { type: 'string' },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    if (values.help) return { kind: 'help' };
    if (positionals.length === 0 && !values.sample) {
      if (values.format !== undefined) throw new UsageError('--format needs a recording to transcribe');
      return { kind: 'serve' };
    }
    const format = values.format ?? 'txt';
    if (!isFormat(format)) throw new UsageError(`--format is one of ${FORMATS.join(', ')}, not ${format}`);
    return { kind: 'submit', paths: positionals, sample: values.sample ?? false, format };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError((error as Error).message);
  }
}

const isFormat = (value: string): value is Format => (FORMATS as readonly string[]).includes(value);
