export { type Chunk, Chunker, type ChunkerOptions } from './chunker.ts';
export {
  type DecodeLimits,
  type DecodeOptions,
  type DecodeOutcome,
  type Decoding,
  decodeRecording,
  SAMPLE_RATE,
} from './decode.ts';
export { type ChannelSamples, distinctChannels } from './distinct-channels.ts';
export { createPeaks, type PeakData, type Peaks } from './peaks.ts';
export { planWindows, quietestMs, type SpeechWindow, type WindowOptions } from './plan-windows.ts';
export { MAX_CHANNELS, type Probe, type ProbeOptions, probeRecording } from './probe.ts';
export { createVoiceActivity, type Span, toFloat, type VoiceActivity } from './voice-activity.ts';
export { deinterleave, readWav, type Wav, wavHeader, writeWav } from './wav.ts';
