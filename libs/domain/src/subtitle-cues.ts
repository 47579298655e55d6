import type { Segment } from './segment.ts';
import { spokenTokens, type Token } from './spoken-tokens.ts';
import { voiceName } from './utterances.ts';

/** One subtitle: at most two lines of 42 characters, about seven seconds. */
export interface Cue {
  readonly start_ms: number;
  readonly end_ms: number;
  readonly lines: readonly string[];
  /** Who speaks; null when only one voice is heard in the whole recording. */
  readonly voice: string | null;
}

const LINE_CHARACTERS = 42;
const CUE_LINES = 2;
const CUE_MS = 7_000;

interface Draft {
  start_ms: number;
  end_ms: number;
  lines: string[];
}

const width = (text: string) => [...text].length;

/** The lines with one more token, or undefined when there is no room for it. */
function withToken(lines: readonly string[], token: Token): string[] | undefined {
  const last = lines.at(-1) ?? '';
  const longer = `${last}${token.spaced ? ' ' : ''}${token.text}`;
  if (width(longer) <= LINE_CHARACTERS) return [...lines.slice(0, -1), longer];
  return lines.length < CUE_LINES ? [...lines, token.text] : undefined;
}

function pack(tokens: readonly Token[]): Draft[] {
  const drafts: Draft[] = [];
  for (const token of tokens) {
    const draft = drafts.at(-1);
    const lines = draft && withToken(draft.lines, token);
    if (draft && lines && token.end_ms - draft.start_ms <= CUE_MS) {
      draft.lines = lines;
      draft.end_ms = Math.max(draft.end_ms, token.end_ms);
    } else {
      drafts.push({ start_ms: token.start_ms, end_ms: token.end_ms, lines: [token.text] });
    }
  }
  return drafts;
}

/** Gathers the cues of segments that come in order, so that the words of a long recording need not be held at once. */
export class CueSheet {
  readonly #named: boolean;
  readonly #cues: Cue[] = [];
  readonly #endOf = new Map<number, number>();

  /** `named`: several voices are heard, so each cue says whose it is. */
  constructor(named: boolean) {
    this.#named = named;
  }

  add(segment: Segment): void {
    const { channel } = segment;
    for (const { start_ms, end_ms, lines } of pack(spokenTokens(segment, LINE_CHARACTERS))) {
      const start = Math.max(start_ms, this.#endOf.get(channel) ?? 0);
      const end = Math.max(end_ms, start + 1);
      this.#endOf.set(channel, end);
      const voice = this.#named ? voiceName(segment) : null;
      this.#cues.push({ start_ms: start, end_ms: end, lines, voice });
    }
  }

  /** In order. Those of one channel never overlap, and none is empty in time or text. */
  cues(): Cue[] {
    return this.#cues.toSorted((a, b) => a.start_ms - b.start_ms);
  }
}
