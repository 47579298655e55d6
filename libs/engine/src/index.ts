export type {
  ChannelAudio,
  EngineCapabilities,
  EngineContext,
  EngineInput,
  EngineOptions,
  Heard,
  SpeechEngine,
} from './speech-engine.ts';
