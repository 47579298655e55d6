/** Signatures at the start of a recording, as far as players need to be told. */
const SIGNATURES: readonly (readonly [RegExp, string])[] = [
  [/^RIFF.{4}WAVE/s, 'audio/wav'],
  [/^(ID3|\xff[\xe2-\xfb])/s, 'audio/mpeg'],
  [/^fLaC/, 'audio/flac'],
  [/^OggS/, 'audio/ogg'],
  [/^.{4}ftypM4A/s, 'audio/mp4'],
  [/^.{4}ftyp/s, 'video/mp4'],
  [/^.E\xdf\xa3/s, 'video/webm'],
];

/** The media type that the first bytes of a recording tell; no other bytes are ever called by a name. */
export function mediaTypeOf(first: Uint8Array): string {
  const text = Buffer.from(first.subarray(0, 16)).toString('latin1');
  return SIGNATURES.find(([signature]) => signature.test(text))?.[1] ?? 'application/octet-stream';
}
