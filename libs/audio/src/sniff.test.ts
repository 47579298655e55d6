import { readFile } from 'node:fs/promises';
import { sniffRecording } from '@earshot/domain';
import { describe, expect, it } from 'vitest';
import { beepAt3s, useMedia } from '../test/media.ts';

const media = useMedia();
const code = (bytes: string | Uint8Array) => sniffRecording(Buffer.from(bytes as string))?.code;

describe('sniffRecording refuses what is certainly no recording', () => {
  it.each([
    ['nothing', '', 'empty_file'],
    ['PNG', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), 'not_audio'],
    ['JPEG', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16]), 'not_audio'],
    ['PDF', '%PDF-1.7 ...', 'not_audio'],
    ['ZIP', Buffer.from('PK\x03\x04\x14\x00', 'latin1'), 'not_audio'],
    ['ELF', Buffer.from('\x7fELF\x02', 'latin1'), 'not_audio'],
    ['WebP', Buffer.from('RIFF\x10\x00\x00\x00WEBPVP8 ', 'latin1'), 'not_audio'],
    ['HTML', '\n<!DOCTYPE html><html>', 'not_audio'],
    ['JSON', '{"error": "not found"}', 'not_audio'],
    ['long text with a cut character', `${'ä'.repeat(8191)}xä`, 'not_audio'],
    ['an HLS playlist', '#EXTM3U\nfile:///etc/passwd\n', 'unsupported'],
    ['an HLS playlist after a byte order mark', '\uFEFF#EXTM3U\n', 'unsupported'],
    ['a concat script', "ffconcat version 1.0\nfile '/etc/passwd'\n", 'unsupported'],
    ['an SDP', 'v=0\no=- 0 0 IN IP4 127.0.0.1\n', 'unsupported'],
    ['a DASH manifest', '<?xml version="1.0"?>\n<MPD xmlns="urn">', 'unsupported'],
  ])('%s', (_, bytes, expected) => {
    expect(code(bytes)).toBe(expected);
  });
});

describe('sniffRecording lets every recording pass', () => {
  it.each([
    ['a.wav'],
    ['a.mp3', '-write_xing', '0', '-id3v2_version', '0'],
    ['a.aac', '-f', 'adts'],
    ['a.m4a'],
    ['a.flac'],
    ['a.ogg', '-c:a', 'libopus'],
    ['a.webm', '-c:a', 'libopus'],
    ['a.amr', '-ar', '8000', '-ac', '1'],
    ['a.aiff'],
    ['a.asf'],
  ])('%s', async (name, ...args) => {
    const bytes = await readFile(await media.make(name, ...beepAt3s, ...args));
    expect(sniffRecording(bytes.subarray(0, 16_384))).toBeUndefined();
  });
});
