import { existsSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { CodedError } from '@earshot/domain';
import type { EngineContext, EngineInput, SpeechEngine } from '@earshot/engine';
import { serveEngine } from '../../src/children/serve-engine.ts';

/** What an odd engine does with a call, chosen by its `language` option; native code is imitated, death is real. */
type Oddity = (input: EngineInput, context: EngineContext) => unknown;

const leaked: Buffer[] = [];

const oddities: Record<string, Oddity> = {
  segfault: () => {
    writeSync(2, 'ort: bad node\n');
    process.kill(process.pid, 'SIGSEGV');
  },
  abort: () => process.abort(),
  exit: () => process.exit(7),
  'kernel-kill': () => process.kill(process.pid, 'SIGKILL'),
  spin: async () => {
    // A beat that is still queued when the loop begins would never leave.
    await new Promise((sent) => process.send?.({ type: 'beat', rss_bytes: 1 }, sent));
    for (;;);
  },
  'eat-memory': async () => {
    writeSync(2, 'eating\n');
    const eaten: Buffer[] = [];
    for (;;) {
      eaten.push(Buffer.alloc(16 * 1024 * 1024, 1));
      await pause(5);
    }
  },
  leak: () => {
    leaked.push(Buffer.alloc(24 * 1024 * 1024, 1));
  },
  junk: () => {
    for (let line = 0; line < 20_000; line += 1) process.stderr.write(`junk line ${line}\n`);
    throw new CodedError('lost_text', 'speech was heard but no text came');
  },
  patient: async (_input, { signal, heartbeat }) => {
    while (!signal.aborted) {
      heartbeat();
      await pause(5);
    }
    signal.throwIfAborted();
  },
  secrets: () => {
    throw new CodedError('engine_error', JSON.stringify(process.env));
  },
};

const odd = (settings: unknown): SpeechEngine => ({
  name: 'odd',
  model: String(settings),
  capabilities: {
    languages: 'any',
    wordTimes: 'none',
    diarization: false,
    wholeRecording: false,
    input: 'samples',
    maxChunkMs: 80_000,
    runs: 'child',
    billing: 'free',
  },
  async *transcribe(input, options, context) {
    await oddities[options.language ?? '']?.(input, context);
    const samples = input.channels.reduce((sum, { samples }) => sum + samples.reduce((a, b) => a + b, 0), 0);
    context.heard({ channel: 0, speech_ms: input.duration_ms, transcribed_ms: input.duration_ms });
    yield { start_ms: 0, end_ms: 1, text: `${process.pid} ${samples}`, channel: 0, speaker: null, words: [] };
  },
  close: async () => {},
});

serveEngine(async (_name, settings) => {
  if (settings === 'exit-at-start') {
    writeSync(2, 'no such model: encoder.ort\n');
    process.exit(3);
  }
  if (existsSync(`${settings}.damaged`) || settings === 'throw-at-start')
    throw new Error('the model is damaged');
  if (settings === 'hang-at-start') await new Promise(() => setInterval(() => {}, 1000));
  return odd(settings);
});
