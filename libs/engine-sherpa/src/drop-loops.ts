/** Fewest words a loop must fill: below it a speaker who insists ("no no no") is more likely than the model. */
const FEWEST_WORDS = 6;

/**
 * Cuts a phrase that a window's text says three or more times in a row, filling six words or more, to one: models loop.
 * Give it one window at a time; across windows repetition is real speech.
 */
export function dropLoops(text: string): string {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const plain = words.map((word) => word.toLowerCase().replace(/[^\p{L}\p{N}']/gu, ''));
  const kept: string[] = [];
  for (let at = 0; at < words.length; ) {
    const loop = findLoop(plain, at);
    kept.push(...words.slice(at, at + (loop?.length ?? 1)));
    at += loop === undefined ? 1 : loop.length * loop.times;
  }
  return kept.join(' ');
}

function findLoop(plain: readonly string[], at: number): { length: number; times: number } | undefined {
  for (let length = 1; at + 3 * length <= plain.length; length += 1) {
    const times = countRepeats(plain, at, length);
    if (times >= 3 && length * times >= FEWEST_WORDS) return { length, times };
  }
  return undefined;
}

function countRepeats(plain: readonly string[], at: number, length: number): number {
  let same = 0;
  while (at + length + same < plain.length && plain[at + same] === plain[at + length + same]) same += 1;
  return 1 + Math.floor(same / length);
}
