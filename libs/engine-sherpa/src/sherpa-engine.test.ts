import type { Segment } from '@earshot/domain';
import type { EngineInput, Heard } from '@earshot/engine';
import { engineConformance } from '@earshot/engine/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeAll, useMedia } from '../../audio/test/media.ts';
import { samples, speechModel } from '../../audio/test/parts.ts';
import { createSherpaEngine } from './sherpa-engine.ts';

const media = useMedia();
const engine = createSherpaEngine({ model: speechModel });
afterAll(() => engine.close());

async function load(path: string): Promise<EngineInput> {
  const { channels, outcome } = await decodeAll(path, { channels: 'mix' });
  return {
    channels: channels.map((one, channel) => ({ channel, samples: one })),
    duration_ms: outcome.duration_ms,
  };
}

async function transcribe(input: EngineInput) {
  const segments: Segment[] = [];
  const heard: Heard[] = [];
  const context = {
    signal: new AbortController().signal,
    heartbeat: () => undefined,
    ledger: { pay: () => Promise.reject(new Error('a local engine paid')) },
    heard: (one: Heard) => void heard.push(one),
  };
  for await (const segment of engine.transcribe(input, { language: 'en-GB' }, context))
    segments.push(segment);
  return { segments, heard, text: segments.map(({ text }) => text).join(' ') };
}

engineConformance('sherpa', {
  create: async () => createSherpaEngine({ model: speechModel }),
  speech: () => load(samples.beckett),
});

describe('the sherpa engine', () => {
  it('tells how long it listened for voices and how long it read', async () => {
    const steps: Record<string, number> = {};
    const context = {
      signal: new AbortController().signal,
      heartbeat: () => undefined,
      ledger: { pay: () => Promise.reject(new Error('a local engine paid')) },
      heard: () => undefined,
      timed: (step: string, ms: number) => {
        steps[step] = (steps[step] ?? 0) + ms;
      },
    };
    for await (const _ of engine.transcribe(await load(samples.beckett), {}, context));
    expect(Object.keys(steps).sort()).toEqual(['recognition', 'voice activity']);
    for (const ms of Object.values(steps)) expect(ms).toBeGreaterThan(0);
  });

  it('reads a recording, and all the speech that it heard', async () => {
    const { text, heard } = await transcribe(await load(samples.two_cities));
    expect(text.toLowerCase()).toContain('it was the age of wisdom. it was the age of foolishness');
    expect(text.toLowerCase()).toContain('superlative degree of comparison only');
    expect(heard[0]?.transcribed_ms).toBe(heard[0]?.speech_ms);
    expect(heard[0]?.speech_ms).toBeGreaterThan(30_000);
  });

  it('says of each word when it was spoken, within its segment', async () => {
    const { segments } = await transcribe(await load(samples.beckett));
    const words = segments.flatMap((segment) => segment.words);
    expect(words.map(({ text }) => text).join(' ')).toBe(segments.map(({ text }) => text).join(' '));
    // "Fail better" is the end of the recording; the first words are its start.
    expect(words[0]?.start_ms).toBeLessThan(600);
    expect(words.at(-1)?.start_ms).toBeGreaterThan(8000);
    expect(words.every(({ timing, confidence }) => timing === 'estimated' && confidence === null)).toBe(true);
  });

  it('keeps the channels of two speakers apart', async () => {
    const [one, other] = [await load(samples.beckett), await load(samples.endgame)];
    const channels = [one.channels[0], other.channels[0]].map((audio, channel) => ({
      channel: channel * 3,
      samples: audio?.samples ?? new Int16Array(0),
    }));
    const { segments, heard } = await transcribe({ channels, duration_ms: other.duration_ms });
    const text = (channel: number) =>
      segments
        .filter((one) => one.channel === channel)
        .map((one) => one.text)
        .join(' ');
    expect(text(0)).toMatch(/ever tried/i);
    expect(text(3)).toMatch(/fetched you from that ditch/i);
    expect(text(3)).not.toMatch(/ever tried/i);
    expect(heard.map(({ channel }) => channel)).toEqual([0, 3]);
  });

  it.each([
    ['digital silence', 'anullsrc=r=48000:cl=mono'],
    ['white noise', 'anoisesrc=a=0.3:c=white:seed=2'],
    ['clicks', 'aevalsrc=0.9*lt(mod(t\\,1)\\,0.003)'],
    ['a melody', 'aevalsrc=0.3*sin(2*PI*(300+100*floor(mod(t*3\\,5)))*t)'],
  ])('invents no words for %s', async (name, source) => {
    const path = await media.make(`${name}.ogg`, '-f', 'lavfi', '-i', source, '-t', '15', '-c:a', 'libopus');
    const { segments, heard } = await transcribe(await load(path));
    expect(segments).toEqual([]);
    expect(heard).toEqual([{ channel: 0, speech_ms: 0, transcribed_ms: 0 }]);
  });

  it('loses no text of someone who never pauses', async () => {
    const input = await load(samples.two_cities);
    const whole = input.channels[0]?.samples ?? new Int16Array(0);
    // Without its pauses the speech is one stretch far beyond what the model can take at once.
    const frames = Array.from({ length: Math.floor(whole.length / 1600) }, (_, n) =>
      whole.subarray(n * 1600, n * 1600 + 1600),
    );
    const loud = frames.filter((frame) => frame.some((sample) => Math.abs(sample) > 700));
    const samplesWithoutPauses = Int16Array.from(loud.flatMap((frame) => [...frame]));
    const { text } = await transcribe({
      channels: [{ channel: 0, samples: samplesWithoutPauses }],
      duration_ms: samplesWithoutPauses.length / 16,
    });
    expect(text.split(' ').length).toBeGreaterThan(90);
  });

  it('warms up twice as well as once', async () => {
    await engine.warm();
    await engine.warm();
  });
});
