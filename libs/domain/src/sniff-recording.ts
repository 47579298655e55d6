import { CodedError } from './coded-error.ts';

/** How many first bytes are enough for {@link sniffRecording}. */
export const SNIFF_BYTES = 16_384;

const MAGICS: readonly (readonly [start: string, name: string])[] = [
  ['\x89PNG', 'a PNG picture'],
  ['\xff\xd8\xff', 'a JPEG picture'],
  ['GIF8', 'a GIF picture'],
  ['%PDF-', 'a PDF document'],
  ['PK\x03\x04', 'a ZIP archive or office document'],
  ['\x1f\x8b\x08', 'a gzip archive'],
  ['7z\xbc\xaf\x27\x1c', 'a 7-Zip archive'],
  ['Rar!\x1a\x07', 'a RAR archive'],
  ['\x7fELF', 'a program'],
  ['SQLite format 3\0', 'a database'],
];

/** Texts that make a player open other addresses. */
const PLAYLIST =
  /^\s*(#EXTM3U|ffconcat version|v=0\s|\[playlist\]|<\?xml[\s\S]*<(MPD|SmoothStreamingMedia)\b|<MPD\b)/i;

const latin1 = (bytes: Uint8Array) => String.fromCharCode(...bytes);

/**
 * Looks at a recording's first bytes and returns why they cannot be audio, or undefined. Only what is certain is
 * refused: a recording without any header passes. Never throws.
 */
export function sniffRecording(first: Uint8Array): CodedError | undefined {
  if (first.length === 0) return new CodedError('empty_file');
  const start = latin1(first.subarray(0, 16));
  const magic = MAGICS.find(([prefix]) => start.startsWith(prefix));
  if (magic) return new CodedError('not_audio', `the bytes are ${magic[1]}`);
  if (start.startsWith('RIFF') && start.slice(8, 12) === 'WEBP') {
    return new CodedError('not_audio', 'the bytes are a WebP picture');
  }
  return start.startsWith('#!AMR') ? undefined : sniffText(first.subarray(0, SNIFF_BYTES));
}

/** Within its first bytes a recording holds control characters or invalid UTF-8; text never does. */
function sniffText(head: Uint8Array): CodedError | undefined {
  const text = new TextDecoder('utf-8').decode(head);
  if (PLAYLIST.test(text)) {
    return new CodedError('unsupported', 'the bytes are a playlist that points elsewhere, not a recording');
  }
  // A character cut at the end of the sample is no proof of binary content.
  const whole = head.length === SNIFF_BYTES ? text.replace(/\uFFFD{1,3}$/, '') : text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what tells audio from text
  if (/[\u0000-\u0008\u000E-\u001A\u001C-\u001F\uFFFD]/.test(whole)) return undefined;
  const html = /^\s*<(!doctype html|html)/i.test(text);
  return new CodedError('not_audio', html ? 'the bytes are an HTML page' : 'the bytes are plain text');
}
