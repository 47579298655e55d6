import { describe, expect, it } from 'vitest';
import { decodeAll, useMedia } from '../test/media.ts';
import { samples, speechModel } from '../test/parts.ts';
import { planWindows } from './plan-windows.ts';
import { createVoiceActivity, type Span, toFloat } from './voice-activity.ts';

const media = useMedia();
const voice = await createVoiceActivity({ model: speechModel.vad });
const load = async (path: string) => (await decodeAll(path)).channels[0] ?? new Int16Array(0);
const cities = await load(samples.two_cities);

function expectOrder(spans: readonly Span[], end: number) {
  let before = 0;
  for (const { start_ms, end_ms } of spans) {
    expect(start_ms).toBeGreaterThanOrEqual(before);
    expect(end_ms).toBeGreaterThan(start_ms);
    before = end_ms;
  }
  expect(before).toBeLessThanOrEqual(end);
}

describe('speechSpans', () => {
  it('finds speech where it is, and says so again when asked again', async () => {
    const spans = voice.speechSpans(cities);
    expectOrder(spans, 44_375);
    expect(spans[0]?.start_ms).toBeGreaterThan(500);
    expect(spans.reduce((sum, { start_ms, end_ms }) => sum + end_ms - start_ms, 0)).toBeGreaterThan(30_000);
    voice.speechSpans(await load(samples.beckett));
    expect(voice.speechSpans(cities)).toEqual(spans);
  });

  it('finds the words shifted when silence is put before them', () => {
    const late = new Int16Array(cities.length + 32_000);
    late.set(cities, 32_000);
    const shift = (voice.speechSpans(late)[0]?.start_ms ?? 0) - (voice.speechSpans(cities)[0]?.start_ms ?? 0);
    expect(Math.abs(shift - 2000)).toBeLessThan(100);
  });

  it('finds speech that goes on to the last sample', () => {
    const spans = voice.speechSpans(cities.subarray(0, 4000 * 16 + 7));
    expect(spans.at(-1)?.end_ms).toBeGreaterThan(3900);
    expectOrder(spans, 4000);
  });

  it.each([
    ['digital silence', 'anullsrc=r=48000:cl=mono'],
    ['white noise', 'anoisesrc=a=0.2:c=white:seed=1'],
    ['pink noise', 'anoisesrc=a=0.2:c=pink:seed=1'],
    ['a mains hum', 'aevalsrc=0.3*sin(2*PI*50*t)+0.1*sin(2*PI*150*t)'],
  ])('hears nobody in %s, through Opus', async (name, source) => {
    const path = await media.make(`${name}.ogg`, '-f', 'lavfi', '-i', source, '-t', '20', '-c:a', 'libopus');
    expect(voice.speechSpans(await load(path))).toEqual([]);
  });

  it('takes samples that are no numbers for silence', () => {
    const odd = Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.5);
    expect([...toFloat(odd)]).toEqual([0, 0, 0, 0.5]);
    const broken = toFloat(cities.subarray(0, 160_000));
    broken.fill(Number.NaN, 16_000, 32_000).fill(Number.POSITIVE_INFINITY, 32_000, 33_000);
    const spans = voice.speechSpans(broken);
    expectOrder(spans, 10_000);
    expect(spans.at(-1)?.end_ms).toBeGreaterThan(8000);
  });

  it('finds nothing in no samples', () => {
    expect(voice.speechSpans(new Int16Array(0))).toEqual([]);
  });
});

describe('planWindows', () => {
  const spans = voice.speechSpans(cities);
  const windows = planWindows(cities, spans);

  it('makes windows that the engine can take, in order, with all the speech', () => {
    expectOrder(windows, 44_375);
    for (const { start_ms, end_ms } of windows) expect(end_ms - start_ms).toBeLessThanOrEqual(8500);
    const speech = (list: readonly Span[]) =>
      list.reduce((sum, span) => sum + span.end_ms - span.start_ms, 0);
    expect(speech(windows.flatMap((window) => window.speech))).toBe(speech(spans));
    expect(windows.length).toBeLessThan(spans.length);
  });

  it('keeps 200 ms around speech, but never any of a neighbour', () => {
    const silence = new Int16Array(20_000 * 16);
    const apart = [span(100, 5000), span(9000, 12_000), span(12_100, 19_950)];
    expect(planWindows(silence, apart).map(({ start_ms, end_ms }) => [start_ms, end_ms])).toEqual([
      [0, 5200],
      [8800, 12_100],
      [12_000, 20_000],
    ]);
  });

  it('joins neighbours across any gap up to 8.1 s', () => {
    const silence = new Int16Array(20_000 * 16);
    expect(planWindows(silence, [span(0, 500), span(7000, 8100), span(8200, 8300)])).toMatchObject([
      { speech: [span(0, 500), span(7000, 8100)] },
      { speech: [span(8200, 8300)] },
    ]);
  });

  it('splits long speech at the quietest point of the last 45 %', () => {
    const loud = Int16Array.from({ length: 20_000 * 16 }, (_, n) => Math.round(8000 * Math.sin(n / 7)));
    loud.fill(0, 2000 * 16, 2100 * 16).fill(10, 6000 * 16, 6100 * 16);
    const [first, second] = planWindows(loud, [span(0, 20_000)]);
    expect(first?.end_ms).toBeCloseTo(6050, -2);
    expect(second?.start_ms).toBe(first?.end_ms);
  });
});

function span(start_ms: number, end_ms: number): Span {
  return { start_ms, end_ms };
}
