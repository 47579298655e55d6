import { writeFileSync } from 'node:fs';
import { toCodedError } from '@earshot/domain';
import type { SpeechEngine } from '@earshot/engine';
import { runEngine } from '../run-engine.ts';
import type { EngineTask, FromChild, ToChild } from './protocol.ts';

const BEAT_EVERY_MS = 250;

/** Loads an engine of the table inside the child. */
export type LoadEngine = (engine: string, settings: unknown) => Promise<SpeechEngine>;

/** The child's whole life: load one engine, do one task after another, leave when the parent is gone. */
export function serveEngine(load: LoadEngine): void {
  let engine: Promise<SpeechEngine>;
  let running = new AbortController();
  outliveTheTerminal();
  process.on('message', (message: ToChild) => {
    if (message.type === 'abort') running.abort();
    else if (message.type === 'load') {
      engine = load(message.engine, message.settings);
      void answer(() => loaded(engine));
    } else {
      running = new AbortController();
      void answer(async () => ({
        type: 'done',
        result: await transcribe(await engine, message.task, running.signal),
      }));
    }
  });
}

/** Ctrl-C reaches the whole process group, but when to leave is the parent's word, or its disappearance. */
function outliveTheTerminal(): void {
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  process.on('disconnect', () => process.exit(0));
  try {
    // When the machine runs out of memory, the kernel should end a child and not the parent.
    writeFileSync('/proc/self/oom_score_adj', '700');
  } catch {}
}

async function loaded(engine: Promise<SpeechEngine>): Promise<FromChild> {
  const started = performance.now();
  const { name, model, capabilities } = await engine;
  return {
    type: 'loaded',
    info: { name, model, capabilities },
    load_ms: Math.round(performance.now() - started),
  };
}

function transcribe(engine: SpeechEngine, task: EngineTask, signal: AbortSignal) {
  // The first beat always goes out, however young the process is.
  let beaten = Number.NEGATIVE_INFINITY;
  const heartbeat = () => {
    if (performance.now() - beaten < BEAT_EVERY_MS) return;
    beaten = performance.now();
    send({ type: 'beat', rss_bytes: process.memoryUsage.rss() });
  };
  return runEngine(engine, task.input, task.options, { signal, heartbeat });
}

async function answer(work: () => Promise<FromChild>): Promise<void> {
  try {
    send(await work());
  } catch (error) {
    const { code, message, errors } = toCodedError(error, 'engine_error');
    await new Promise((resolve) => process.stderr.write('', resolve));
    send({ type: 'failed', failure: { code, message, errors } });
  }
}

/** A parent that has gone is noticed by `disconnect`, not here. */
function send(message: FromChild): void {
  process.send?.(message, undefined, undefined, () => {});
}
