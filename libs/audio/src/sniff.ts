import { CodedError } from '@earshot/domain';

const magics: readonly (readonly [prefix: string, name: string])[] = [
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
const playlist =
  /^\s*(#EXTM3U|ffconcat version|v=0\s|\[playlist\]|<\?xml[\s\S]*<(MPD|SmoothStreamingMedia)\b|<MPD\b)/i;

/**
 * Looks at a recording's first bytes (16 KB are enough) and returns why they cannot be audio, or undefined.
 * Only what is certain is refused: a recording without any header passes. Never throws.
 */
export function sniffRecording(first: Uint8Array): CodedError | undefined {
  if (first.length === 0) return new CodedError('empty_file');
  const head = Buffer.from(first.buffer, first.byteOffset, Math.min(first.length, 16_384));
  const start = head.toString('latin1', 0, 16);
  const magic = magics.find(([prefix]) => start.startsWith(prefix));
  if (magic !== undefined) return new CodedError('not_audio', `The bytes are ${magic[1]}`);
  if (start.startsWith('RIFF') && start.slice(8, 12) === 'WEBP') {
    return new CodedError('not_audio', 'The bytes are a WebP picture');
  }
  return sniffText(head);
}

/** A recording always holds control bytes or invalid UTF-8 within its first bytes; text never does. */
function sniffText(head: Buffer): CodedError | undefined {
  const text = head.toString('utf8').replace(/^\uFEFF/, '');
  if (playlist.test(text)) {
    return new CodedError('unsupported', 'The bytes are a playlist that points elsewhere, not a recording');
  }
  if (head.subarray(0, 5).toString('latin1') === '#!AMR') return undefined;
  // A character cut at the end of the sample is no proof of binary content.
  const whole = head.length === 16_384 ? text.replace(/\uFFFD{1,3}$/, '') : text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what tells audio from text
  if (/[\u0000-\u0008\u000E-\u001A\u001C-\u001F\uFFFD]/.test(whole)) return undefined;
  const html = /^\s*<(!doctype html|html)/i.test(text);
  return new CodedError('not_audio', html ? 'The bytes are an HTML page' : 'The bytes are plain text');
}
