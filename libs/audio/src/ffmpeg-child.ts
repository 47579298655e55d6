import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { CodedError } from '@earshot/domain';

/** Formats whose demuxers open nothing but the given bytes; playlists (HLS, concat, SDP, DASH) are left out on purpose. */
const formats = 'wav,mp3,flac,ogg,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,aac,amr,asf,aiff';

/** How a child ended: its exit code, or the signal that killed it. */
export interface FfmpegExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One running ffmpeg. Whoever starts it calls `stop` in the end, whatever happened. */
export interface FfmpegChild {
  readonly stdout: Readable;
  /** Resolves when the child is reaped; rejects with `unavailable` when it could not be started. */
  readonly exit: Promise<FfmpegExit>;
  /** What it wrote to stderr so far: the first 16 KB, the last 2 KB, and whether it spoke of missing data. */
  stderr(): FfmpegStderr;
  /** Kills it if it still runs and waits until it is reaped. Idempotent. */
  stop(): Promise<void>;
}

/** Evidence, with the recording's path taken out. */
export interface FfmpegStderr {
  readonly head: string;
  readonly tail: string;
  readonly endedEarly: boolean;
}

/** Arguments for opening an untrusted recording: allow-lists, one thread, no look at the name. */
export function inputArguments(path: string, options: readonly string[] = []): string[] {
  const guards = [
    '-format_whitelist',
    formats,
    '-protocol_whitelist',
    'file,pipe',
    '-max_alloc',
    '536870912',
  ];
  return [...guards, '-threads', '1', '-guess_layout_max', '2', ...options, '-i', `file:${path}`];
}

/** Starts ffmpeg on `args`; `path` is removed from everything it says. */
export function startFfmpeg(ffmpeg: string, args: readonly string[], path: string): FfmpegChild {
  const child = spawn(ffmpeg, ['-hide_banner', '-nostdin', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const stderr = collectStderr(child.stderr, path);
  const exit = new Promise<FfmpegExit>((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new CodedError('unavailable', 'ffmpeg could not be started', { cause })),
    );
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  exit.catch(() => undefined);
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    child.stdout.destroy();
    await exit.catch(() => undefined);
  };
  return { stdout: child.stdout, exit, stderr, stop };
}

function collectStderr(stream: Readable, path: string): () => FfmpegStderr {
  let head = '';
  let tail = '';
  let endedEarly = false;
  stream.setEncoding('utf8').on('data', (text: string) => {
    if (head.length < 16_384) head += text.slice(0, 16_384 - head.length);
    const recent = tail + text;
    endedEarly ||= /partial file|File ended prematurely|Truncat/i.test(recent);
    tail = recent.slice(-2048);
  });
  const clean = (text: string) =>
    text.replaceAll(`file:${path}`, 'the recording').replaceAll(path, 'the recording');
  return () => ({ head: clean(head), tail: clean(tail), endedEarly });
}

/** The last thing ffmpeg said, in words fit for a user: no addresses, no paths. */
export function lastWords({ tail }: FfmpegStderr): string {
  const lines = tail.split('\n').map((line) => line.replace(/\[[^\]]*@ 0x[0-9a-f]+\]\s*/g, '').trim());
  return lines.filter((line) => line !== '' && !/^Error opening input/.test(line)).at(-1) ?? 'no explanation';
}
