import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Client, ClientError, TranscriptError } from '@earshot/client';
import type { Format } from './command-line.ts';
import type { Endpoint } from './endpoint.ts';
import { type ProgressDisplay, progressLine } from './progress-line.ts';

/** Where the results go: transcripts to stdout, talk to stderr. */
export interface Terminal {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly progress: ProgressDisplay;
}

export interface Submission {
  readonly endpoint: Endpoint;
  readonly apiKey: string | undefined;
  readonly paths: readonly string[];
  readonly format: Format;
  readonly signal: AbortSignal;
}

function describe(path: string, error: unknown): string {
  if (error instanceof ClientError) {
    return `${path}: ${error.code}: ${error.message}${error.help ? `\n  ${error.help}` : ''}\n`;
  }
  if (error instanceof TranscriptError) return `${path}: ${error.code}: ${error.message}\n`;
  const { code, message } = error as NodeJS.ErrnoException;
  return `${path}: ${code === 'ENOENT' ? 'not_found: there is no such file' : `${code ?? 'internal'}: ${message}`}\n`;
}

async function openRecording(path: string): Promise<Blob> {
  const info = await stat(path);
  if (!info.isFile()) throw Object.assign(new Error('this is not a file'), { code: 'invalid_request' });
  return openAsBlob(path);
}

/** One recording from upload to text. The key makes a repeat after a lost server find the transcript of the first try. */
async function transcribe(path: string, submission: Submission, progress: ProgressDisplay): Promise<string> {
  const { endpoint, apiKey, signal, format } = submission;
  const started = performance.now();
  const idempotencyKey = crypto.randomUUID();
  let baseUrl = await endpoint.url();
  for (;;) {
    try {
      const client = new Client({ baseUrl, apiKey });
      progress.update(path, `${path}: uploading`);
      const { id } = await client.recordings.create(
        { file: await openRecording(path) },
        { idempotencyKey, signal },
      );
      await client.transcripts.wait(id, {
        signal,
        intervalMs: 200,
        onProgress: (transcript) =>
          progress.update(path, progressLine(path, transcript, performance.now() - started)),
      });
      return await client.transcripts.render(id, format);
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== 'unreachable') throw error;
      baseUrl = await endpoint.replace(baseUrl);
    }
  }
}

/**
 * Submits recordings, shows progress, and prints each transcript in the order of the paths as soon as it and those
 * before it are ready. Resolves to the number of recordings that failed; their coded errors are on stderr.
 */
export async function submitRecordings(submission: Submission, terminal: Terminal): Promise<number> {
  const results = submission.paths.map((path) =>
    transcribe(path, submission, terminal.progress).then(
      (text) => ({ path, text, error: undefined }),
      (error: unknown) => ({ path, text: undefined, error }),
    ),
  );
  let failures = 0;
  for (const pending of results) {
    const { path, text, error } = await pending;
    submission.signal.throwIfAborted();
    terminal.progress.clear();
    if (text === undefined) {
      failures++;
      terminal.stderr.write(describe(path, error));
    } else {
      terminal.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
    }
  }
  return failures;
}
