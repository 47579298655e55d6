import { describe, expect, it } from 'vitest';
import type { Segment, Word } from './segment.ts';
import { CueSheet } from './subtitle-cues.ts';
import { toSrt, toText, toVtt } from './subtitles.ts';
import { hasSeveralVoices, inOrder, voiceName } from './utterances.ts';

function toCues(segments: readonly Segment[]) {
  const ordered = inOrder(segments);
  const sheet = new CueSheet(hasSeveralVoices(ordered));
  for (const segment of ordered) sheet.add(segment);
  return sheet.cues();
}

/** mulberry32: small, seeded, good enough to make recordings from. */
function randomFrom(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const VOCABULARY = [
  'a',
  'we',
  'know',
  'listening',
  '<b>',
  'R&D',
  '-->',
  'naïve',
  '語',
  'o’clock,',
  'x'.repeat(95),
];

function randomSegments(seed: number): Segment[] {
  const below = randomFrom(seed);
  const channels = 1 + below(2);
  const clocks = [0, 0];
  return Array.from({ length: below(12) }, () => {
    const channel = below(channels);
    const words: Word[] = Array.from({ length: below(30) }, () => {
      const start_ms = (clocks[channel] ?? 0) + below(600);
      const end_ms = start_ms + below(1200);
      clocks[channel] = end_ms;
      const text = VOCABULARY[below(VOCABULARY.length)] as string;
      return { start_ms, end_ms, text, confidence: null, timing: 'exact' };
    });
    const start_ms = words[0]?.start_ms ?? clocks[channel] ?? 0;
    const end_ms = words.at(-1)?.end_ms ?? start_ms;
    const text = words.map((word) => word.text).join(below(4) === 0 ? '  \n ' : ' ');
    return { start_ms, end_ms, text, channel, speaker: null, words: below(3) === 0 ? [] : words };
  });
}

interface ParsedCue {
  start: number;
  end: number;
  voice: string | undefined;
  lines: string[];
}

const toMs = (time: string) => {
  const [hours, minutes, seconds, ms] = time.split(/[:.,]/).map(Number) as [number, number, number, number];
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms;
};

const plain = (text: string) => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

function parseBlock(block: string): ParsedCue {
  const lines = block.split('\n');
  if (/^\d+$/.test(lines[0] ?? '')) lines.shift();
  const times = /^(\d+:\d\d:\d\d[.,]\d{3}) --> (\d+:\d\d:\d\d[.,]\d{3})$/.exec(lines.shift() ?? '');
  if (!times) throw new Error(`no time line in: ${block}`);
  const voice = /^<v ([^>]+)>/.exec(lines[0] ?? '');
  if (voice) lines[0] = (lines[0] as string).slice(voice[0].length);
  return { start: toMs(times[1] as string), end: toMs(times[2] as string), voice: voice?.[1], lines };
}

function parse(document: string): ParsedCue[] {
  const blocks = document.replace(/^WEBVTT\n\n/, '').split('\n\n');
  return blocks.filter(Boolean).map(parseBlock);
}

const letters = (text: string) => text.replace(/\s+/g, '');
const spokenBy = (segments: readonly Segment[], voice: string | undefined) =>
  inOrder(segments)
    .filter((segment) => voice === undefined || voiceName(segment) === voice)
    .map((segment) => letters(segment.text))
    .join('');
const sorted = (values: readonly string[]) => [...values].sort();

describe.each(Array.from({ length: 60 }, (_, index) => index + 1))('recording %i', (seed) => {
  const segments = randomSegments(seed);
  const spoken = segments.map((segment) => letters(segment.text)).filter(Boolean);

  it('gives cues in order, within the lines, none of them empty', () => {
    const cues = toCues(segments);
    for (const [index, cue] of cues.entries()) {
      expect(cue.end_ms).toBeGreaterThan(cue.start_ms);
      expect(cue.start_ms).toBeGreaterThanOrEqual(cues[index - 1]?.start_ms ?? 0);
      expect(cue.lines.length).toBeGreaterThan(0);
      expect(cue.lines.length).toBeLessThanOrEqual(2);
      for (const line of cue.lines) {
        expect([...line].length).toBeLessThanOrEqual(42);
        expect(line.trim()).toBe(line);
        expect(line).not.toBe('');
      }
    }
  });

  it('loses nothing on the way through a WebVTT reader', () => {
    const read = parse(toVtt(toCues(segments)));
    expect(read.map(({ start, end }) => [start, end])).toEqual(
      toCues(segments).map((cue) => [cue.start_ms, cue.end_ms]),
    );
    for (const voice of new Set(read.map((cue) => cue.voice))) {
      const cues = read.filter((cue) => cue.voice === voice);
      const text = cues.map((cue) => letters(plain(cue.lines.join('')))).join('');
      expect(text).toBe(spokenBy(segments, voice));
    }
    expect(read.length === 0).toBe(segments.every((segment) => !segment.text.trim()));
  });

  it('loses nothing on the way through a SubRip reader', () => {
    const text = parse(toSrt(toCues(segments))).map((cue) =>
      letters(cue.lines.join('')).replaceAll('→', '-->'),
    );
    expect(sorted([...text.join('')])).toEqual(sorted([...spoken.join('')]));
  });
});

const segmentOf = (words: [number, number, string][], over: Partial<Segment> = {}): Segment => ({
  start_ms: words[0]?.[0] ?? 0,
  end_ms: words.at(-1)?.[1] ?? 0,
  text: words.map(([, , text]) => text).join(' '),
  channel: 0,
  speaker: null,
  words: words.map(([start_ms, end_ms, text]) => ({
    start_ms,
    end_ms,
    text,
    confidence: 1,
    timing: 'exact',
  })),
  ...over,
});

describe('subtitles', () => {
  it('break at word times when a cue would last longer than seven seconds', () => {
    const words: [number, number, string][] = [
      [0, 3000, 'slow'],
      [3000, 6000, 'speech'],
      [6500, 9000, 'goes'],
      [9000, 9900, 'on'],
    ];
    expect(toSrt(toCues([segmentOf(words)]))).toBe(
      '1\n00:00:00,000 --> 00:00:06,000\nslow speech\n\n2\n00:00:06,500 --> 00:00:09,900\ngoes on\n\n',
    );
  });

  it('count hours past 99 and pad every part', () => {
    const late = 100 * 3_600_000 + 61_007;
    expect(toVtt(toCues([segmentOf([[late, late + 1, 'end']])]))).toBe(
      'WEBVTT\n\n100:01:01.007 --> 100:01:01.008\nend\n\n',
    );
  });

  it('name the voices only when there are several', () => {
    const one = segmentOf([[0, 500, 'hello']]);
    const two = segmentOf([[600, 900, 'hi']], { channel: 1 });
    expect(toVtt(toCues([one]))).not.toContain('<v');
    expect(toVtt(toCues([one, two]))).toContain('<v Speaker 1>hello');
    expect(toVtt(toCues([one, two]))).toContain('<v Speaker 2>hi');
    expect(toVtt(toCues([one, { ...two, speaker: 'Mr <X> & Co' }]))).toContain('<v Mr &lt;X&gt; &amp; Co>hi');
    expect(toText([one, two])).toBe('Speaker 1: hello\nSpeaker 2: hi\n');
    expect(toText([one])).toBe('hello\n');
  });

  it('keep the signs around words, and scripts without spaces together', () => {
    const text = '“你好，世界！”';
    const words = [...'你好世界'].map((sign, index): [number, number, string] => [
      index * 100,
      index * 100 + 90,
      sign,
    ]);
    expect(toCues([segmentOf(words, { text })])[0]?.lines).toEqual([text]);
  });

  it('are empty documents for a silent recording', () => {
    expect([toSrt(toCues([])), toVtt(toCues([])), toText([])]).toEqual(['', 'WEBVTT\n\n', '']);
  });
});
