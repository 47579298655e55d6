import { deinterleave } from './wav.ts';

/** One channel's samples, under its number in the recording. */
export interface ChannelSamples {
  readonly channel: number;
  readonly samples: Int16Array;
}

/** 100 ms at 16 kHz: long enough to say who is louder, short enough to fall between two words. */
const FRAME = 1600;
/** Loudest 100 ms of a channel without sound, squared: -60 dBFS. */
const SILENT = 33 ** 2;
/** Share of a channel that another one does not explain, below which both are the same: -30 dB. */
const SAME = 0.001;
/** One channel is clearly louder than another: 15 dB. */
const LOUDER = 10 ** 1.5;
/** Share of the sounding frames in which one must be clearly louder than the other for them to be two sources. */
const APART = 0.15;

/**
 * The channels worth transcribing, from interleaved samples of one chunk. In both modes channels without sound and copies of
 * another channel (also at another level or inverted) are dropped; `auto` also mixes channels that heard the same room,
 * under the lowest of their numbers. At least one channel is returned.
 */
export function distinctChannels(
  interleaved: Int16Array,
  channels: number,
  mode: 'auto' | 'separate',
): ChannelSamples[] {
  const all = deinterleave(interleaved, channels).map((samples, channel) => ({ channel, samples }));
  if (channels === 1) return all;
  const levels = all.map(({ samples }) => frameEnergies(samples));
  const sounding = all.filter((_, n) => (levels[n] ?? []).some((energy) => energy > SILENT));
  if (sounding.length === 0) return all.slice(0, 1);
  const sources = sounding.filter(
    (one, n) => !sounding.slice(0, n).some((other) => isCopy(other.samples, one.samples)),
  );
  if (mode === 'separate') return sources;
  return groupRooms(sources, levels).map(mixTogether);
}

/** Mean square of each 100 ms. */
function frameEnergies(samples: Int16Array): number[] {
  const energies: number[] = [];
  for (let start = 0; start < samples.length; start += FRAME) {
    const frame = samples.subarray(start, start + FRAME);
    energies.push(dot(frame, frame) / frame.length);
  }
  return energies;
}

function dot(a: Int16Array, b: Int16Array): number {
  let sum = 0;
  for (let n = 0; n < a.length; n += 1) sum += (a[n] ?? 0) * (b[n] ?? 0);
  return sum;
}

/** True when a constant times `a` gives `b`, but for what a lossy codec changes. */
function isCopy(a: Int16Array, b: Int16Array): boolean {
  const gain = dot(a, b) / Math.max(1, dot(a, a));
  const total = dot(b, b);
  // A single word that only `b` has would drown in a minute's sum: no 100 ms may differ much either.
  const most = Math.max(SILENT, (0.1 * total) / b.length) * FRAME;
  let left = 0;
  for (let start = 0; start < b.length; start += FRAME) {
    const rest = differenceEnergy(a.subarray(start, start + FRAME), b.subarray(start, start + FRAME), gain);
    left += rest;
    if (rest > most || left > SAME * total) return false;
  }
  return true;
}

function differenceEnergy(a: Int16Array, b: Int16Array, gain: number): number {
  let sum = 0;
  for (let n = 0; n < b.length; n += 1) sum += ((b[n] ?? 0) - gain * (a[n] ?? 0)) ** 2;
  return sum;
}

/** Joins channels that are not clearly apart; a channel may link two others. */
function groupRooms(sources: readonly ChannelSamples[], levels: readonly number[][]): ChannelSamples[][] {
  const groups: ChannelSamples[][] = [];
  for (const source of sources) {
    const near = groups.filter((group) =>
      group.some((other) => !areApart(levels[other.channel] ?? [], levels[source.channel] ?? [])),
    );
    const rest = groups.filter((group) => !near.includes(group));
    groups.splice(0, groups.length, ...rest, [...near.flat(), source]);
  }
  return groups.sort((a, b) => (a[0]?.channel ?? 0) - (b[0]?.channel ?? 0));
}

function areApart(a: readonly number[], b: readonly number[]): boolean {
  const loudest = Math.max(...a, ...b);
  let sounding = 0;
  let apart = 0;
  for (let n = 0; n < a.length; n += 1) {
    const [low, high] = [Math.min(a[n] ?? 0, b[n] ?? 0), Math.max(a[n] ?? 0, b[n] ?? 0)];
    if (high < Math.max(SILENT, loudest / 10_000)) continue;
    sounding += 1;
    if (high > LOUDER * low) apart += 1;
  }
  return apart > APART * sounding;
}

/** The mean of a room's channels; one that runs against the first is turned round, so that nothing cancels out. */
function mixTogether(group: readonly ChannelSamples[]): ChannelSamples {
  const [first] = group;
  if (first === undefined) throw new RangeError('a group has at least one channel');
  if (group.length === 1) return first;
  const sum = new Float64Array(first.samples.length);
  for (const { samples } of group) {
    const sign = dot(first.samples, samples) < 0 ? -1 : 1;
    for (let n = 0; n < sum.length; n += 1) sum[n] = (sum[n] ?? 0) + sign * (samples[n] ?? 0);
  }
  const mean = Int16Array.from(sum, (value) => Math.round(value / group.length));
  const channel = Math.min(...group.map((one) => one.channel));
  return { channel, samples: mean };
}
