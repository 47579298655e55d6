import { Chunker, decodeRecording, distinctChannels, probeRecording } from '@earshot/audio';
import { createSherpaEngine } from '@earshot/engine-sherpa';
import { ffmpeg, speechModel } from '../../libs/audio/test/parts.ts';

const engine = createSherpaEngine({ model: speechModel });
await engine.warm();

/** What Earshot makes of a recording: its text, and how long the engine took for how much audio. */
export interface Transcribed {
  readonly text: string;
  readonly audio_ms: number;
  readonly engine_ms: number;
}

/** Takes a recording the way the workers take it: decode, cut into chunks, choose channels, transcribe, join. */
export async function transcribeWithEarshot(path: string): Promise<Transcribed> {
  const recording = await probeRecording({ ffmpeg, path });
  const decoding = decodeRecording({ ffmpeg, path, recording, channels: 'separate' });
  const chunker = new Chunker({ channels: decoding.channels });
  const texts: string[] = [];
  let engine_ms = 0;
  const take = async () => {
    for (let chunk = chunker.next(); chunk !== undefined; chunk = chunker.next()) {
      const started = performance.now();
      texts.push(...(await transcribeChunk(chunk.pcm, decoding.channels)));
      engine_ms += performance.now() - started;
      chunker.adopt(chunk.end_ms);
    }
  };
  for await (const block of decoding) {
    chunker.push(block);
    await take();
  }
  chunker.end();
  await take();
  return { text: texts.join(' '), audio_ms: decoding.outcome().duration_ms, engine_ms };
}

async function transcribeChunk(pcm: Int16Array, count: number): Promise<string[]> {
  const channels = distinctChannels(pcm, count, 'auto');
  const context = {
    signal: new AbortController().signal,
    heartbeat: () => undefined,
    heard: () => undefined,
    ledger: { pay: () => Promise.reject(new Error('this engine is free')) },
  };
  const texts: string[] = [];
  const input = { channels, duration_ms: Math.ceil(pcm.length / count / 16) };
  for await (const { text } of engine.transcribe(input, { language: 'en' }, context)) texts.push(text);
  return texts;
}
