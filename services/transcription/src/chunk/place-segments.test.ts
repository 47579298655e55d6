import { describe, expect, it } from 'vitest';
import { placeSegments } from './place-segments.ts';

const chunk = { start_ms: 60_000, end_ms: 70_000 };
const word = (start_ms: number, end_ms: number) => ({
  ...{ start_ms, end_ms, text: 'w', confidence: null, timing: 'estimated' as const },
});
const segment = (start_ms: number, end_ms: number, ...words: ReturnType<typeof word>[]) => ({
  ...{ start_ms, end_ms, text: 'w', channel: 1, speaker: null, words },
});

describe('placing segments', () => {
  it('moves times by the start of the chunk and rounds them', () => {
    const [placed] = placeSegments([segment(100.4, 900.6, word(100.4, 500))], chunk);
    expect(placed).toMatchObject({
      start_ms: 60_100,
      end_ms: 60_901,
      channel: 1,
      words: [{ end_ms: 60_500 }],
    });
  });

  it('keeps segments inside the chunk and words inside their segment', () => {
    const [placed] = placeSegments([segment(-50, 12_000, word(-50, 100), word(9000, 12_500))], chunk);
    expect(placed).toMatchObject({
      ...chunk,
      words: [
        { start_ms: 60_000, end_ms: 60_100 },
        { start_ms: 69_000, end_ms: 70_000 },
      ],
    });
  });

  it('lets nothing end before it starts', () => {
    const [placed] = placeSegments([segment(5000, 4000, word(5500, 4500))], chunk);
    expect(placed).toMatchObject({
      start_ms: 65_000,
      end_ms: 65_000,
      words: [{ start_ms: 65_000, end_ms: 65_000 }],
    });
  });
});
