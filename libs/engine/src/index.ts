export type {
  Billed,
  BlindCall,
  LookupCall,
  OperationState,
  PaidCall,
  PaidCallLedger,
  Refused,
} from './paid-call.ts';
export type {
  ChannelAudio,
  EngineCapabilities,
  EngineContext,
  EngineInput,
  EngineOptions,
  EngineStep,
  Heard,
  SpeechEngine,
  StoredAudio,
} from './speech-engine.ts';
