/** Samples a second of all sound here. */
const RATE = 16_000;
const HALF = RATE / 5;
const START = RATE / 4;
const QUIET = 1_000;
/** Shorter sounds are no half of a number. */
const SHORTEST = HALF / 2;

/** A number that was heard, with its times in milliseconds from the start of the samples. */
export interface HeardNumber {
  readonly number: number;
  readonly start_ms: number;
  readonly end_ms: number;
}

/**
 * One second of 16 kHz sound that says a number below 10,000: a tone for its hundreds and one for the rest, from 250 ms to
 * 650 ms, between silences. So a transcript of known words at known times can be made by whoever hears it.
 */
export function sayNumber(number: number): Int16Array {
  const second = new Int16Array(RATE);
  const tones = [Math.floor(number / 100), number % 100];
  for (const [half, digits] of tones.entries()) {
    const step = (2 * Math.PI * frequencyOf(digits)) / RATE;
    for (let n = 0; n < HALF; n += 1) second[START + half * HALF + n] = 12_000 * Math.cos(step * n);
  }
  return second;
}

/** The numbers that are said in 16 kHz samples of one channel. A number that is cut in two is heard as another one, or twice. */
export function hearNumbers(samples: Int16Array): HeardNumber[] {
  const heard: HeardNumber[] = [];
  for (const { from, to } of sounds(samples)) {
    const middle = from + Math.round((to - from) / 2);
    const number = 100 * digitsOf(samples.subarray(from, middle)) + digitsOf(samples.subarray(middle, to));
    heard.push({ number, start_ms: Math.round(from / 16), end_ms: Math.round(to / 16) });
  }
  return heard;
}

const frequencyOf = (digits: number) => 400 + 30 * digits;

/** By its zero crossings: those of neighbours are twelve apart in a whole tone. */
function digitsOf(tone: Int16Array): number {
  let crossings = 0;
  for (let n = 1; n < tone.length; n += 1) {
    if ((tone[n - 1] ?? 0) >= 0 !== (tone[n] ?? 0) >= 0) crossings += 1;
  }
  return Math.round(((crossings * RATE) / (2 * tone.length) - 400) / 30);
}

function* sounds(samples: Int16Array): Generator<{ from: number; to: number }> {
  let from = -1;
  let last = -1;
  for (let n = 0; n <= samples.length; n += 1) {
    if (Math.abs(samples[n] ?? 0) > QUIET) {
      if (from < 0) from = n;
      last = n;
    } else if (from >= 0 && (n - last > RATE / 20 || n === samples.length)) {
      if (last - from > SHORTEST) yield { from, to: last + 1 };
      from = -1;
    }
  }
}
