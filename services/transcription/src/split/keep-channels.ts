import { distinctChannels } from '@earshot/audio';

/** Interleaved sound, and the channels of the recording that its tracks are, in order. */
export interface KeptSound {
  readonly pcm: Int16Array;
  readonly tracks: readonly number[];
}

/** Only the channels of a chunk that are worth transcribing: a remote engine takes money for each. */
export function keepChannels(pcm: Int16Array, channels: number, mode: 'auto' | 'separate'): KeptSound {
  const kept = distinctChannels(pcm, channels, mode);
  const tracks = kept.map(({ channel }) => channel);
  // As many as there were: none is a copy, and none was mixed.
  if (kept.length === channels) return { pcm, tracks };
  const [only] = kept;
  if (kept.length === 1 && only) return { pcm: only.samples, tracks };
  const frames = Math.floor(pcm.length / channels);
  const joined = new Int16Array(frames * kept.length);
  for (const [track, { samples }] of kept.entries()) {
    for (let frame = 0; frame < frames; frame += 1) {
      joined[frame * kept.length + track] = samples[frame] ?? 0;
    }
  }
  return { pcm: joined, tracks };
}
