/** Frames of 10 ms at 16 kHz: the grid on which sound is judged, and whole milliseconds at the same time. */
const STEP = 160;
/** Steps of the 100 ms in which a cut must be quiet. */
const WIDTH = 10;

/** Interleaved samples and the range of frames in which a cut may lie. */
export interface CutRange {
  readonly samples: Int16Array;
  readonly channels: number;
  readonly from: number;
  readonly to: number;
}

/** The middle frame of the quietest 100 ms within the range, a multiple of 16 frames (1 ms) from its start; the first of equals. */
export function quietestFrame(range: CutRange): number {
  const energies = stepEnergies(range);
  const { start } = quietestWindow(energies);
  return range.from + Math.min(start + WIDTH / 2, energies.length) * STEP;
}

/**
 * The middle of the longest pause within the range: everything within 6 dB of its quietest 100 ms, or below -60 dBFS.
 * Without a pause of 200 ms it is the quietest frame.
 */
export function pauseFrame(range: CutRange): number {
  const energies = stepEnergies(range);
  const quiet = quietestWindow(energies);
  const floor = STEP * range.channels * 32 ** 2;
  const run = longestRun(energies, Math.max((quiet.energy / WIDTH) * 4, floor));
  if (run.length < 2 * WIDTH) return quietestFrame(range);
  return range.from + (run.start + Math.floor(run.length / 2)) * STEP;
}

function stepEnergies({ samples, channels, from, to }: CutRange): Float64Array {
  const energies = new Float64Array(Math.max(0, Math.floor((to - from) / STEP)));
  for (let step = 0; step < energies.length; step += 1) {
    const start = (from + step * STEP) * channels;
    let energy = 0;
    for (let n = start; n < start + STEP * channels; n += 1) energy += (samples[n] ?? 0) ** 2;
    energies[step] = energy;
  }
  return energies;
}

function quietestWindow(energies: Float64Array): { start: number; energy: number } {
  let sum = 0;
  let best = { start: 0, energy: Number.POSITIVE_INFINITY };
  for (let step = 0; step < energies.length; step += 1) {
    sum += (energies[step] ?? 0) - (step >= WIDTH ? (energies[step - WIDTH] ?? 0) : 0);
    if (step >= WIDTH - 1 && sum < best.energy) best = { start: step - WIDTH + 1, energy: sum };
  }
  return best;
}

function longestRun(energies: Float64Array, limit: number): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let step = 0; step < energies.length; step += 1) {
    if ((energies[step] ?? 0) > limit) start = step + 1;
    else if (step - start + 1 > best.length) best = { start, length: step - start + 1 };
  }
  return best;
}
