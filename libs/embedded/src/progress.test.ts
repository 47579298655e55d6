import { expect, test } from 'vitest';
import { createProgressPrinter } from './progress.ts';

const download = (bytes?: number) => ({
  part: 'ffmpeg' as const,
  phase: 'download' as const,
  total: 68_000_000,
  message: 'Fetching ffmpeg (68 MB, once) with pip',
  ...(bytes === undefined ? {} : { bytes }),
});
const ready = { part: 'ffmpeg' as const, phase: 'ready' as const, message: 'ffmpeg is ready' };

test('in a log the size is announced and a quarter is a line', () => {
  const lines: string[] = [];
  const report = createProgressPrinter({ write: (text) => lines.push(text) });
  report(download());
  for (let mb = 1; mb <= 68; mb++) report(download(mb * 1_000_000));
  report(ready);
  expect(lines[0]).toBe('Fetching ffmpeg (68 MB, once) with pip\n');
  expect(lines.slice(1, -1)).toEqual([17, 34, 51, 68].map((mb) => `  ffmpeg: ${mb} of 68 MB\n`));
  expect(lines.at(-1)).toBe('ffmpeg is ready\n');
});

test('on a terminal one line is written over and over, never wider than the terminal', () => {
  const lines: string[] = [];
  const report = createProgressPrinter({ isTTY: true, columns: 20, write: (text) => lines.push(text) });
  for (let mb = 1; mb <= 3; mb++) report(download(mb * 1_000_000));
  expect(lines.every((line) => line.startsWith('\r') && !line.includes('\n'))).toBe(true);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the code that clears a line
  expect(lines.every((line) => line.replace(/\r\u001b\[2K/, '').length < 20)).toBe(true);
});
