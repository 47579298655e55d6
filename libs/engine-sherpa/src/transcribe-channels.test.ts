import type { Span } from '@earshot/audio';
import type { Segment } from '@earshot/domain';
import type { Heard } from '@earshot/engine';
import { describe, expect, it } from 'vitest';
import type { Recognize } from './recognizer.ts';
import { transcribeChannels } from './transcribe-channels.ts';

/** A model that fails in ways the real one does, on speech at known places. */
async function run(speech: readonly Span[], recognize: Recognize) {
  const segments: Segment[] = [];
  const heard: Heard[] = [];
  const samples = Int16Array.from({ length: 60_000 * 16 }, (_, n) => n % 300);
  const signal = new AbortController().signal;
  const context = { signal, heartbeat: () => undefined, heard: (one: Heard) => void heard.push(one) };
  const tools = { recognize, voice: { speechSpans: () => [...speech] } };
  const work = async () => {
    for await (const one of transcribeChannels(tools, [{ channel: 1, samples }], context)) segments.push(one);
  };
  const error = await work().then(
    () => undefined,
    (reason) => reason.code,
  );
  return { segments, heard, error };
}

const ms = (samples: Int16Array) => samples.length / 16;

describe('when the model returns nothing for speech', () => {
  it('the window is read again in halves, and no speech goes missing', async () => {
    const { segments, heard, error } = await run([{ start_ms: 1000, end_ms: 9000 }], (window) =>
      ms(window) > 5000 ? '' : 'some words',
    );
    expect(segments.length).toBeGreaterThanOrEqual(2);
    expect(segments.at(0)?.start_ms).toBe(1000);
    expect(segments.at(-1)?.end_ms).toBe(9000);
    expect(heard).toEqual([{ channel: 1, speech_ms: 8000, transcribed_ms: 8000 }]);
    expect(error).toBeUndefined();
  });

  it('it asks for parts down to a second, not for ever', async () => {
    const asked: number[] = [];
    await run([{ start_ms: 1000, end_ms: 9000 }], (window) => {
      asked.push(ms(window));
      return '';
    });
    expect(Math.min(...asked)).toBeGreaterThanOrEqual(900);
    expect(asked.length).toBeLessThan(32);
  });

  it('clear speech is an error, after everything else was yielded', async () => {
    const speech = [
      { start_ms: 1000, end_ms: 8000 },
      { start_ms: 20_000, end_ms: 23_000 },
    ];
    const { segments, heard, error } = await run(speech, (window) =>
      ms(window) > 7000 ? 'seven seconds' : '',
    );
    expect(segments.map(({ text }) => text)).toEqual(['seven seconds']);
    expect(heard).toEqual([{ channel: 1, speech_ms: 10_000, transcribed_ms: 7000 }]);
    expect(error).toBe('lost_text');
  });

  it('a cough is no error, but it is reported', async () => {
    const { heard, error } = await run([{ start_ms: 1000, end_ms: 1700 }], () => '');
    expect(heard).toEqual([{ channel: 1, speech_ms: 700, transcribed_ms: 0 }]);
    expect(error).toBeUndefined();
  });
});

it('a model that loops inside a window is cut short', async () => {
  const { segments } = await run(
    [{ start_ms: 0, end_ms: 4000 }],
    () => 'So we go on. we go on. we go on. we go on.',
  );
  expect(segments[0]?.text).toBe('So we go on.');
  expect(segments[0]?.words).toHaveLength(4);
});
