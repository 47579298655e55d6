import type { Segment, Word } from './segment.ts';
import { oneLine } from './utterances.ts';

/** A piece of text that is not broken over lines, with the time it is spoken. */
export interface Token {
  readonly text: string;
  /** True when a space stands before it. */
  readonly spaced: boolean;
  readonly start_ms: number;
  readonly end_ms: number;
}

/** Where each word begins in the text; undefined when the words are not those of the text. */
function positions(text: string, words: readonly Word[]): number[] | undefined {
  const found: number[] = [];
  let from = 0;
  for (const word of words) {
    const spelt = oneLine(word.text);
    const at = text.indexOf(spelt, from);
    if (spelt === '' || at < 0) return undefined;
    found.push(at);
    from = at + spelt.length;
  }
  return found;
}

/** Cuts the text at its words, so that signs around them (and scripts without spaces) come out as they went in. */
function byWords(text: string, words: readonly Word[]): Token[] | undefined {
  const starts = positions(text, words);
  if (!starts || words.length === 0) return undefined;
  return words.map((word, index) => {
    const from = index === 0 ? 0 : (starts[index] as number);
    const slice = text.slice(from, starts[index + 1]);
    return {
      text: slice.trim(),
      spaced: index > 0 && text[from - 1] === ' ',
      start_ms: word.start_ms,
      end_ms: Math.max(word.start_ms, word.end_ms),
    };
  });
}

/** Spreads the time of a range over parts of its text by their length. */
function spread(parts: readonly string[], range: { start_ms: number; end_ms: number }, spaced: boolean[]) {
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  const length = Math.max(0, range.end_ms - range.start_ms);
  let before = 0;
  const timeAt = (characters: number) => range.start_ms + Math.round((length * characters) / total);
  return parts.map((text, index) => {
    const start_ms = timeAt(before);
    before += text.length;
    return { text, spaced: spaced[index] ?? true, start_ms, end_ms: timeAt(before) };
  });
}

function splitLong(token: Token, maxCharacters: number): Token[] {
  const characters = [...token.text];
  if (characters.length <= maxCharacters) return [token];
  const parts: string[] = [];
  for (let at = 0; at < characters.length; at += maxCharacters) {
    parts.push(characters.slice(at, at + maxCharacters).join(''));
  }
  return spread(
    parts,
    token,
    parts.map((_, index) => index === 0 && token.spaced),
  );
}

/** The text of a segment in pieces of at most `maxCharacters`, timed by its words, else by its length. */
export function spokenTokens(segment: Segment, maxCharacters: number): Token[] {
  const text = oneLine(segment.text);
  const tokens = byWords(text, segment.words) ?? spread(text.split(' '), segment, [false]);
  return tokens.flatMap((token) => splitLong(token, maxCharacters));
}
