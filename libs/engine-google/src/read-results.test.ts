import { describe, expect, it } from 'vitest';
import { readResults, type VendorResult } from './read-results.ts';

const word = (text: string, start: string | undefined, end: string, speakerLabel?: string) => ({
  ...{ word: text, endOffset: end, confidence: 0 },
  ...(start ? { startOffset: start } : {}),
  ...(speakerLabel ? { speakerLabel } : {}),
});
const result = (over: Partial<VendorResult> & { words?: ReturnType<typeof word>[]; text?: string }) => ({
  ...{ resultEndOffset: '2s', channelTag: 0 },
  alternatives: [{ transcript: over.text ?? 'hello there', words: over.words ?? [] }],
  ...over,
});

describe('results of the vendor', () => {
  it('are segments with the times of their words; the first word has no start, a confidence of 0 is none', () => {
    const words = [word('hello', undefined, '0.400s'), word('there', '0.500s', '0.900s')];
    expect(readResults([result({ words })], [0], 5_000)).toEqual([
      {
        ...{ start_ms: 0, end_ms: 900, text: 'hello there', channel: 0, speaker: null },
        words: [
          { start_ms: 0, end_ms: 400, text: 'hello', confidence: null, timing: 'exact' },
          { start_ms: 500, end_ms: 900, text: 'there', confidence: null, timing: 'exact' },
        ],
      },
    ]);
  });

  it('without words last from the end of the one before to their own end', () => {
    const found = readResults(
      [result({}), result({ resultEndOffset: { seconds: '4', nanos: 5e8 } })],
      [0],
      5_000,
    );
    expect(found.map(({ start_ms, end_ms }) => [start_ms, end_ms])).toEqual([
      [0, 2_000],
      [2_000, 4_500],
    ]);
  });

  it('belong to the channels that were asked for, each with times of its own', () => {
    const found = readResults([result({ channelTag: 1 }), result({ channelTag: 2 })], [0, 3], 5_000);
    expect(found.map(({ channel, start_ms }) => [channel, start_ms])).toEqual([
      [0, 0],
      [3, 0],
    ]);
  });

  it('are one segment for each turn of a speaker', () => {
    const words = [
      word('hello', '0s', '0.4s', '1'),
      word('there', '0.5s', '0.9s', '1'),
      word('yes', '1s', '1.2s', '2'),
    ];
    expect(readResults([result({ words })], [0], 5_000)).toMatchObject([
      { speaker: '1', text: 'hello there', start_ms: 0, end_ms: 900 },
      { speaker: '2', text: 'yes', start_ms: 1_000, end_ms: 1_200 },
    ]);
  });

  it('without text are silence', () => {
    expect(readResults([result({ text: ' ' }), { resultEndOffset: '3s' }], [0], 5_000)).toEqual([]);
  });
});
