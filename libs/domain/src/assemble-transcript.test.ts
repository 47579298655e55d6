import { describe, expect, it } from 'vitest';
import { assembleTranscript, type ChunkResult, composeTranscript } from './assemble-transcript.ts';
import type { Segment } from './segment.ts';
import { toUtterances } from './utterances.ts';

const segment = (start_ms: number, text: string, over: Partial<Segment> = {}): Segment => ({
  start_ms,
  end_ms: start_ms + 900,
  text,
  channel: 0,
  speaker: null,
  words: [],
  ...over,
});

const chunk = (n: number, text: string, over: Partial<ChunkResult> = {}): ChunkResult => ({
  n,
  start_ms: n * 1000,
  end_ms: (n + 1) * 1000,
  segments: text ? [segment(n * 1000, text)] : [],
  speech_ms: 800,
  transcribed_ms: 800,
  language: 'en',
  ...over,
});

const gap = (n: number, code = 'engine_error') => ({
  n,
  start_ms: n * 1000,
  end_ms: (n + 1) * 1000,
  code,
});
const cut = (count: number, over = {}) => ({
  count,
  duration_ms: count * 1000,
  truncated: false,
  code: null,
  ...over,
});

describe('assembleTranscript', () => {
  it('joins the chunks in order, however they came', () => {
    const chunks = [chunk(2, 'three'), chunk(0, ' one '), chunk(1, 'two')];
    const result = assembleTranscript({ split: cut(3), chunks, gave_up: [] });
    expect(result).toMatchObject({ status: 'completed', text: 'one two three', language: 'en' });
    expect(result.coverage).toEqual({ speech_ms: 2400, transcribed_ms: 2400, gaps: [] });
  });

  it('lists a chunk that was given up on as a gap', () => {
    const result = assembleTranscript({
      split: cut(3),
      chunks: [chunk(0, 'a'), chunk(2, 'c')],
      gave_up: [gap(1)],
    });
    expect(result.status).toBe('partial');
    expect(result.text).toBe('a c');
    expect(result.coverage.gaps).toEqual([{ start_ms: 1000, end_ms: 2000, code: 'engine_error' }]);
  });

  it('lets a result beat a give-up, and the first result a second', () => {
    const chunks = [chunk(0, 'first'), chunk(0, 'second')];
    const result = assembleTranscript({ split: cut(1), chunks, gave_up: [gap(0)] });
    expect(result).toMatchObject({ status: 'completed', text: 'first' });
  });

  it('ignores chunks and give-ups beyond the count', () => {
    const result = assembleTranscript({
      split: cut(1),
      chunks: [chunk(0, 'in'), chunk(1, 'out')],
      gave_up: [gap(2)],
    });
    expect(result).toMatchObject({ status: 'completed', text: 'in' });
  });

  it('completes a recording without chunks, or without speech, with an empty text', () => {
    const none = assembleTranscript({ split: cut(0), chunks: [], gave_up: [] });
    const silent = assembleTranscript({
      split: cut(1),
      chunks: [chunk(0, '', { speech_ms: 0, transcribed_ms: 0, language: null })],
      gave_up: [],
    });
    for (const result of [none, silent]) {
      expect(result).toMatchObject({ status: 'completed', text: '', language: null, segments: [] });
    }
  });

  it('fails when not one chunk has a result', () => {
    const result = assembleTranscript({ split: cut(2), chunks: [], gave_up: [gap(0), gap(1)] });
    expect(result.status).toBe('failed');
    expect(result.coverage.gaps).toHaveLength(2);
  });

  it('shows the end that a truncated split could not reach as a gap', () => {
    const split = cut(2, { truncated: true, code: 'corrupt', duration_ms: 9000 });
    const result = assembleTranscript({ split, chunks: [chunk(0, 'a'), chunk(1, 'b')], gave_up: [] });
    expect(result.status).toBe('partial');
    expect(result.coverage.gaps).toEqual([{ start_ms: 2000, end_ms: 9000, code: 'corrupt' }]);
  });

  it('keeps a truncated recording partial even when its length is unknown', () => {
    const split = cut(1, { truncated: true, duration_ms: 0 });
    const result = assembleTranscript({ split, chunks: [chunk(0, 'a')], gave_up: [] });
    expect(result.coverage.gaps).toEqual([{ start_ms: 1000, end_ms: 1000, code: 'corrupt' }]);
  });

  it('takes the language that most speech was in', () => {
    const chunks = [
      chunk(0, 'a', { language: 'de', speech_ms: 100 }),
      chunk(1, 'b', { language: 'fr', speech_ms: 500 }),
      chunk(2, 'c', { language: 'de', speech_ms: 300 }),
    ];
    expect(composeTranscript(chunks).language).toBe('fr');
  });
});

describe('utterances', () => {
  const dialogue = composeTranscript([
    chunk(0, '', {
      segments: [
        segment(0, 'hello', { channel: 0 }),
        segment(500, 'how are you', { channel: 0 }),
        segment(1000, 'fine', { channel: 1 }),
      ],
    }),
    chunk(2, '', {
      segments: [segment(2000, 'thanks', { channel: 1 }), segment(3000, 'good', { channel: 0 })],
    }),
  ]);

  it('join neighbouring segments of one voice across chunks', () => {
    expect(toUtterances(dialogue.segments).map(({ channel, text }) => [channel, text])).toEqual([
      [0, 'hello how are you'],
      [1, 'fine thanks'],
      [0, 'good'],
    ]);
  });

  it('stand on lines of their own when several voices are heard', () => {
    expect(dialogue.text).toBe('hello how are you\nfine thanks\ngood');
  });

  it('are split by speaker inside one channel', () => {
    const segments = [segment(0, 'yes', { speaker: 'A' }), segment(900, 'no', { speaker: 'B' })];
    expect(composeTranscript([chunk(0, '', { segments })]).text).toBe('yes\nno');
  });
});
