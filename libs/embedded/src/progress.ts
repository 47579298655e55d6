/** The pieces a fresh machine may have to fetch. */
export type Part = 'nats-server' | 'ffmpeg' | 'postgres' | 'speech-model' | 'voice-activity-model';

/** One step of a fetch. `bytes` and `total` are bytes on the wire; `message` is a sentence for people. */
export interface ProgressEvent {
  readonly part: Part;
  readonly phase: 'download' | 'unpack' | 'ready';
  readonly bytes?: number;
  readonly total?: number;
  readonly message: string;
}

/** Receives progress; must not throw. */
export type Report = (event: ProgressEvent) => void;

interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const SPARSE_STEP = 0.25;

/**
 * A {@link Report} for people: sizes are announced first, then one updating line on a terminal,
 * or a line per quarter elsewhere. Writes to `stream` (usually stderr) and never closes it.
 */
export function createProgressPrinter(stream: Terminal): Report {
  const running = new Map<Part, ProgressEvent>();
  const announced = new Map<Part, number>();
  const line = (text: string) => stream.write(stream.isTTY ? `\r\u001b[2K${text}\n` : `${text}\n`);

  return (event) => {
    const { part, phase, bytes, total } = event;
    if (phase !== 'download' || bytes === undefined) line(event.message);
    if (phase === 'download') running.set(part, event);
    else running.delete(part);
    if (stream.isTTY) return void stream.write(statusLine([...running.values()], stream.columns));
    if (phase !== 'download' || bytes === undefined || total === undefined) return;
    const step = Math.floor(bytes / total / SPARSE_STEP);
    if (step <= (announced.get(part) ?? 0)) return;
    announced.set(part, step);
    line(`  ${part}: ${megabytes(bytes)} of ${megabytes(total)} MB`);
  };
}

function statusLine(events: readonly ProgressEvent[], columns = 80): string {
  const parts = events.map((e) => `${e.part} ${megabytes(e.bytes ?? 0)}/${megabytes(e.total ?? 0)} MB`);
  return `\r\u001b[2K${parts.join(' · ').slice(0, columns - 1)}`;
}

/** Decimal megabytes, rounded, at least 1. */
export function megabytes(bytes: number): number {
  return bytes === 0 ? 0 : Math.max(1, Math.round(bytes / 1e6));
}
