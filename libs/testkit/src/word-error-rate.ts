/** How far a transcript is from what was said. */
export interface WordErrors {
  /** Words inserted, left out or replaced, at least. */
  readonly errors: number;
  /** Words of the reference. */
  readonly words: number;
  /** errors / words; 0 for two empty texts. May exceed 1. */
  readonly rate: number;
}

/** Compares a transcript with the exact reference, word by word; case and punctuation do not count. */
export function wordErrorRate(reference: string, transcript: string): WordErrors {
  const said = plainWords(reference);
  const errors = editDistance(said, plainWords(transcript));
  const rate = errors === 0 ? 0 : errors / Math.max(1, said.length);
  return { errors, words: said.length, rate };
}

/** Lower-case words without punctuation; apostrophes inside a word stay, a hyphen or dash separates. */
export function plainWords(text: string): string[] {
  const plain = text
    .toLowerCase()
    .normalize('NFKC')
    .replaceAll('’', "'")
    .replace(/[^\p{L}\p{N}']+/gu, ' ')
    .replace(/(?<![\p{L}\p{N}])'|'(?![\p{L}\p{N}])/gu, '');
  return plain.split(' ').filter((word) => word !== '');
}

/** Fewest insertions, deletions and replacements that turn one list into the other. */
function editDistance(from: readonly string[], to: readonly string[]): number {
  let previous = Array.from({ length: to.length + 1 }, (_, n) => n);
  for (const [row, word] of from.entries()) {
    const current = [row + 1];
    for (const [column, other] of to.entries()) {
      const replaced = (previous[column] ?? 0) + (word === other ? 0 : 1);
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
