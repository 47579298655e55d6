import { CodedError } from '@earshot/domain';

/** Signed 16 bit little endian sound of a wav file. */
export interface Wav {
  readonly samples: Int16Array;
  readonly channels: number;
  readonly sampleRate: number;
}

const HEADER_BYTES = 44;

/** Wraps interleaved samples in a wav header (44 bytes). Size fields over 4 GB are written as unknown. */
export function writeWav(samples: Int16Array, channels: number, sampleRate: number): Buffer {
  const wav = Buffer.alloc(HEADER_BYTES + samples.length * 2);
  wav.set(wavHeader(samples.length * 2, channels, sampleRate));
  wav.set(new Uint8Array(samples.buffer, samples.byteOffset, samples.length * 2), HEADER_BYTES);
  return wav;
}

/** The header alone, for `dataBytes` of interleaved 16 bit samples that follow it. */
export function wavHeader(dataBytes: number, channels: number, sampleRate: number): Buffer {
  const wav = Buffer.alloc(HEADER_BYTES);
  const bytes = Math.min(dataBytes, 0xffffffff - 36);
  wav.write('RIFF', 0, 'latin1');
  wav.writeUInt32LE(36 + bytes, 4);
  wav.write('WAVEfmt ', 8, 'latin1');
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(channels, 22);
  wav.writeUInt32LE(sampleRate, 24);
  wav.writeUInt32LE(sampleRate * channels * 2, 28);
  wav.writeUInt16LE(channels * 2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36, 'latin1');
  wav.writeUInt32LE(bytes, 40);
  return wav;
}

/** Reads a 16 bit wav; size fields that are zero, too large or unknown mean "to the end". Throws `corrupt` or `unsupported`. */
export function readWav(bytes: Uint8Array): Wav {
  const wav = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (wav.toString('latin1', 0, 4) !== 'RIFF' || wav.toString('latin1', 8, 12) !== 'WAVE') {
    throw new CodedError('corrupt', 'The wav header is missing');
  }
  let format: { channels: number; sampleRate: number } | undefined;
  for (let at = 12; at + 8 <= wav.length; ) {
    const id = wav.toString('latin1', at, at + 4);
    const size = wav.readUInt32LE(at + 4);
    if (id === 'fmt ') format = readFormat(wav, at + 8);
    if (id === 'data' && format !== undefined)
      return { ...format, samples: readSamples(wav, at + 8, size, format) };
    at += 8 + size + (size % 2);
  }
  throw new CodedError('corrupt', 'The wav file holds no sound');
}

function readFormat(wav: Buffer, at: number): { channels: number; sampleRate: number } {
  if (at + 16 > wav.length) throw new CodedError('corrupt', 'The wav header is cut off');
  const coding = wav.readUInt16LE(at);
  const channels = wav.readUInt16LE(at + 2);
  const bits = wav.readUInt16LE(at + 14);
  if ((coding !== 1 && coding !== 0xfffe) || bits !== 16 || channels === 0) {
    throw new CodedError('unsupported', 'Only 16 bit PCM wav files are read here');
  }
  return { channels, sampleRate: wav.readUInt32LE(at + 4) };
}

function readSamples(
  wav: Buffer,
  start: number,
  size: number,
  { channels }: { channels: number },
): Int16Array {
  const claimed = size === 0 ? wav.length : start + size;
  const bytes = Math.min(claimed, wav.length) - start;
  const length = Math.floor(bytes / (2 * channels)) * channels;
  if ((wav.byteOffset + start) % 2 === 0) return new Int16Array(wav.buffer, wav.byteOffset + start, length);
  const samples = new Int16Array(length);
  Buffer.from(samples.buffer).set(wav.subarray(start, start + samples.length * 2));
  return samples;
}

/** Splits interleaved samples into one array per channel. */
export function deinterleave(samples: Int16Array, channels: number): Int16Array[] {
  const frames = Math.floor(samples.length / channels);
  return Array.from({ length: channels }, (_, channel) => {
    const one = new Int16Array(frames);
    for (let frame = 0; frame < frames; frame += 1) one[frame] = samples[frame * channels + channel] ?? 0;
    return one;
  });
}
