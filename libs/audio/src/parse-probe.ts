/** One audio track as ffmpeg describes it. */
export interface AudioTrack {
  /** Index among all streams of the container. */
  readonly stream: number;
  readonly codec: string;
  readonly sample_rate: number;
  /** 0 when the container does not say. */
  readonly channels: number;
  /** False when only the number of channels is known, not where they are in a room. */
  readonly placed: boolean;
  readonly isDefault: boolean;
}

/** What `ffmpeg -i` printed about a recording. */
export interface ProbeText {
  readonly format: string;
  /** The container's claim; null when it makes none, or ffmpeg only guessed it from the bit rate. */
  readonly duration_ms: number | null;
  readonly audio: readonly AudioTrack[];
  /** Moving pictures; cover art does not count. */
  readonly has_video: boolean;
}

const namedLayouts: Readonly<Record<string, number>> = {
  mono: 1,
  stereo: 2,
  downmix: 2,
  binaural: 2,
  quad: 4,
  hexagonal: 6,
  octagonal: 8,
  cube: 8,
  hexadecagonal: 16,
};

/** Reads ffmpeg's description of input 0; undefined when it opened nothing. Metadata cannot forge lines: ffmpeg indents it. */
export function parseProbe(stderr: string): ProbeText | undefined {
  const format = /^Input #0, (.+?), from /m.exec(stderr)?.[1];
  if (format === undefined) return undefined;
  const streams = [...stderr.matchAll(/^ {2}Stream #0:(\d+)\S*: (Audio|Video): (.*)$/gm)];
  const video = streams.filter(([, , kind, text]) => kind === 'Video' && !text?.endsWith('(attached pic)'));
  const audio = streams.filter(([, , kind]) => kind === 'Audio');
  return {
    format,
    duration_ms: claimedDuration(stderr, format),
    audio: audio.map(([, stream, , text]) => parseTrack(Number(stream), text ?? '')),
    has_video: video.length > 0,
  };
}

function claimedDuration(stderr: string, format: string): number | null {
  if (/Estimating duration from bitrate/.test(stderr)) return null;
  const match = /^ {2}Duration: (\d+):(\d\d):(\d\d)\.(\d\d)(?:, start: (\d+\.\d+))?/m.exec(stderr);
  if (match === null) return null;
  const [hours, minutes, seconds, hundredths, start] = match.slice(1).map((field) => Number(field ?? 0));
  const end = (((hours ?? 0) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000 + (hundredths ?? 0) * 10;
  // Matroska names the last timestamp; a browser's live recording may begin hours after zero.
  return format.startsWith('matroska') ? Math.max(0, end - Math.round((start ?? 0) * 1000)) : end;
}

function parseTrack(stream: number, text: string): AudioTrack {
  const fields = text.split(', ');
  const rate = fields.findIndex((field) => /^\d+ Hz$/.test(field));
  const layout = (fields[rate + 1] ?? '').replace(/ \(default\)$/, '');
  return {
    stream,
    codec: /^\w+/.exec(text)?.[0] ?? 'unknown',
    sample_rate: rate < 0 ? 0 : Number.parseInt(fields[rate] ?? '', 10),
    channels: rate < 0 ? 0 : countChannels(layout),
    placed: !/^\d+ channels/.test(layout),
    isDefault: /\(default\)/.test(text),
  };
}

function countChannels(layout: string): number {
  const numbered = /^(\d+) channels/.exec(layout)?.[1];
  if (numbered !== undefined) return Number(numbered);
  const order = /^ambisonic (\d+)/.exec(layout)?.[1];
  if (order !== undefined) return (Number(order) + 1) ** 2;
  const bare = layout.replace(/\(.*$/, '');
  if (/^\d+(\.\d+)+$/.test(bare)) return bare.split('.').reduce((sum, part) => sum + Number(part), 0);
  return namedLayouts[bare] ?? 0;
}
