/**
 * Turns Moonshine's tokenizer.bin into the tokens.txt sherpa-onnx reads: one `base64(token) TAB index` per line.
 * Tokens follow one another, each after its length: one byte, or two (second × 128 + first − 128); 0 = empty token.
 */
export function tokensText(tokenizer: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < tokenizer.length; ) {
    const first = tokenizer[at++] ?? 0;
    const length = first < 128 ? first : (tokenizer[at++] ?? 0) * 128 + first - 128;
    if (at + length > tokenizer.length) throw new RangeError('tokenizer.bin ends inside a token.');
    const token = Buffer.from(tokenizer.buffer, tokenizer.byteOffset + at, length);
    lines.push(`${token.toString('base64')}\t${lines.length}\n`);
    at += length;
  }
  return lines.join('');
}
