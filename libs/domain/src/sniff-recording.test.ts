import { describe, expect, it } from 'vitest';
import { SNIFF_BYTES, sniffRecording } from './sniff-recording.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const padded = (start: string) => Buffer.concat([bytes(start), Buffer.alloc(2000)]);

describe('sniffRecording', () => {
  it.each([
    ['a png', padded('\x89PNG\r\n\x1a\n'), 'not_audio'],
    ['a jpeg', padded('\xff\xd8\xff\xe0'), 'not_audio'],
    ['a gif', padded('GIF89a'), 'not_audio'],
    ['a webp', padded('RIFF\x10\0\0\0WEBP'), 'not_audio'],
    ['a pdf', padded('%PDF-1.7'), 'not_audio'],
    ['a zip', padded('PK\x03\x04'), 'not_audio'],
    ['an elf', padded('\x7fELF\x02'), 'not_audio'],
    ['html', bytes('\n<!DOCTYPE html><html>'), 'not_audio'],
    ['plain text', bytes('I am not a recording at all.\n'), 'not_audio'],
    ['json', bytes('{"audio": true}'), 'not_audio'],
    [
      'utf-8 text cut inside a character',
      Buffer.from('é'.repeat(10_000)).subarray(1 - 1, SNIFF_BYTES),
      'not_audio',
    ],
    ['nothing', Buffer.alloc(0), 'empty_file'],
    ['an hls playlist', bytes('#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n'), 'unsupported'],
    ['an hls playlist after a byte order mark', Buffer.from('\uFEFF#EXTM3U\n'), 'unsupported'],
    ['a concat script', bytes("ffconcat version 1.0\nfile '/etc/passwd'\n"), 'unsupported'],
    ['an sdp', bytes('v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n'), 'unsupported'],
    ['a dash manifest', bytes('<?xml version="1.0"?>\n<MPD xmlns="x">'), 'unsupported'],
    ['a bare dash manifest', bytes('<MPD xmlns="x">'), 'unsupported'],
  ])('refuses %s', (_, first, code) => {
    expect(sniffRecording(first)?.code).toBe(code);
  });

  it.each([
    ['wav', padded('RIFF\x24\0\0\0WAVEfmt ')],
    ['mp3 without a tag', padded('\xff\xfb\x90\x64')],
    ['mp3 with a tag', padded('ID3\x04\0\0')],
    ['adts', padded('\xff\xf1\x50\x80')],
    ['flac', padded('fLaC\0\0\0\x22')],
    ['ogg', padded('OggS\0\x02')],
    ['mp4', padded('\0\0\0\x20ftypM4A ')],
    ['webm', padded('\x1a\x45\xdf\xa3')],
    ['amr whose first frames look like text', bytes('#!AMR\n<<<<<<<<')],
    ['raw samples', Buffer.from(Int16Array.from({ length: 500 }, (_, i) => i * 7).buffer)],
    ['text-like bytes with one control character', bytes(`abc\x01${'d'.repeat(100)}`)],
  ])('lets %s pass', (_, first) => {
    expect(sniffRecording(first)).toBeUndefined();
  });
});
