/** Paths of a model's files, by the kind of model; `vad` is the Silero v5 model. `type` is `moonshine` unless given. */
export type SherpaModel = { readonly tokens: string; readonly vad: string } & (
  | { readonly type?: 'moonshine'; readonly encoder: string; readonly decoder: string }
  | {
      readonly type: 'whisper';
      readonly encoder: string;
      readonly decoder: string;
      readonly language?: string;
    }
  | {
      readonly type: 'transducer';
      readonly encoder: string;
      readonly decoder: string;
      readonly joiner: string;
    }
  | { readonly type: 'sense-voice'; readonly model: string; readonly language?: string }
);

/** The recogniser's configuration: 16 kHz, one thread (a second one doubled the CPU time for no gain). */
export function recognizerConfig(model: SherpaModel): object {
  return {
    featConfig: { sampleRate: 16_000, featureDim: 80 },
    modelConfig: { ...modelFiles(model), tokens: model.tokens, numThreads: 1, debug: false },
  };
}

function modelFiles(model: SherpaModel): object {
  switch (model.type) {
    case 'whisper':
      return { whisper: { encoder: model.encoder, decoder: model.decoder, language: model.language ?? '' } };
    case 'transducer': {
      const { encoder, decoder, joiner } = model;
      return { transducer: { encoder, decoder, joiner }, modelType: 'nemo_transducer' };
    }
    case 'sense-voice':
      return {
        senseVoice: { model: model.model, language: model.language ?? '', useInverseTextNormalization: 1 },
      };
    default:
      return { moonshine: { encoder: model.encoder, mergedDecoder: model.decoder } };
  }
}
