/** What `AutoDetectDecodingConfig` reads, in ffmpeg's words for container and coding. */
export const READABLE: readonly string[] = [
  'wav/pcm_s16le',
  'wav/pcm_mulaw',
  'wav/pcm_alaw',
  'flac/flac',
  'mp3/mp3',
  'ogg/opus',
  'webm/opus',
  'mp4/aac',
  'm4a/aac',
  'mov/aac',
  'amr/amr_nb',
  'amr/amr_wb',
];
