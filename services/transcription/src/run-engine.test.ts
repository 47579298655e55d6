import { expect, it } from 'vitest';
import { runEngine } from './run-engine.ts';

const capabilities = {
  languages: 'any',
  wordTimes: 'none',
  diarization: false,
  wholeRecording: false,
  input: 'samples',
  maxChunkMs: 60_000,
  runs: 'child',
  billing: 'free',
} as const;

it('adds up the pieces of a step, and tells when the first began', async () => {
  const engine = {
    ...{ name: 'slow', model: 'none', capabilities, close: async () => {} },
    async *transcribe(
      _input: unknown,
      _options: unknown,
      { timed }: { timed?: (step: 'recognition', ms: number) => void },
    ) {
      timed?.('recognition', 5);
      timed?.('recognition', 7);
      yield* [];
    },
  };
  const context = { signal: new AbortController().signal, heartbeat: () => {} };
  const { steps } = await runEngine(engine, { channels: [], duration_ms: 0 }, {}, context);
  expect(steps).toMatchObject([{ name: 'recognition', ms: 12 }]);
});
