import type { EngineOptions } from '@earshot/engine';
import { describe, expect, it } from 'vitest';
import { type GoogleModelName, googleModels } from './models.ts';
import { batchRequest } from './request.ts';

const request = (options: EngineOptions = {}, model: GoogleModelName = 'chirp_3', channels = [0]) =>
  batchRequest(
    {
      ...{ parent: 'projects/p/locations/us', model, traits: googleModels[model] },
      ...{ wordTimes: true, defaultLanguage: 'en-GB' },
    },
    { audio: 'gs://b/a' },
    { channels },
    options,
  );

describe('the request', () => {
  it.each([
    ['en', 'en-US'],
    ['de', 'de-DE'],
    ['pt-BR', 'pt-BR'],
    ['zh-Hant', 'zh-TW'],
    ['auto', 'auto'],
    [undefined, 'auto'],
  ])('asks for the language %s as %s', (language, expected) => {
    expect(request({ language }).config?.languageCodes).toEqual([expected]);
  });

  it.each(['x', 'en-abcd-abcd', '!'])('is refused for the language %s, which is none', (language) => {
    expect(() => request({ language })).toThrow(expect.objectContaining({ code: 'unsupported_language' }));
  });

  it('names a language where the model finds none out', () => {
    expect(request({}, 'telephony').config?.languageCodes).toEqual(['en-GB']);
    expect(request({ language: 'fr' }, 'telephony').config?.languageCodes).toEqual(['fr-FR']);
  });

  it('asks for what the model has, and for nothing else', () => {
    const wishes = { diarization: true, vocabulary: ['Earshot', 'JetStream'] };
    const { features, adaptation } = request(wishes).config ?? {};
    expect(features?.diarizationConfig).toEqual({});
    expect(adaptation?.phraseSets?.[0]?.inlinePhraseSet?.phrases).toEqual([
      { value: 'Earshot' },
      { value: 'JetStream' },
    ]);
    expect(request(wishes, 'long').config?.features?.diarizationConfig).toBeUndefined();
    expect(request().config?.adaptation).toBeUndefined();
  });

  it('asks for several channels each by itself, and for one as it is', () => {
    const mode = (channels: number[]) => request({}, 'chirp_3', channels).config?.features?.multiChannelMode;
    expect(mode([0, 1])).toBe('SEPARATE_RECOGNITION_PER_CHANNEL');
    expect(mode([0])).toBeUndefined();
  });

  it('is a dynamic batch in the lane low alone', () => {
    expect(request({ lane: 'low' }).processingStrategy).toBe('DYNAMIC_BATCHING');
    expect(request({ lane: 'normal' }).processingStrategy).toBeUndefined();
  });
});
