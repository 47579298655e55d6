/** A FLAC of silence, 8 kHz mono, about 7 KB an hour: a decoding bomb. `claims` puts its true length into the header. */
export function silentFlac(hours: number, claims: boolean): Buffer {
  const block = 65_535;
  const count = Math.ceil((hours * 3600 * 8000) / block);
  const frames = Array.from({ length: count }, (_, n) => silentFrame(n));
  return Buffer.concat([streamInfo(block, claims ? count * block : 0), ...frames]);
}

function streamInfo(block: number, total: number): Buffer {
  const info = Buffer.alloc(42);
  info.write('fLaC', 0, 'latin1');
  info.writeUInt32BE(0x80_00_00_22, 4);
  info.writeUInt16BE(block, 8);
  info.writeUInt16BE(block, 10);
  // 20 bits rate, 3 bits channels - 1, 5 bits sample size - 1, 36 bits samples
  info.writeBigUInt64BE((8000n << 44n) | (15n << 36n) | BigInt(total), 18);
  return info;
}

/** One frame of 65,535 zeros: a constant subframe. */
function silentFrame(number: number): Buffer {
  const header = Buffer.from([
    0xff,
    0xf8,
    0x74,
    0x08,
    ...Buffer.from(String.fromCodePoint(number), 'utf8'),
    0xff,
    0xfe,
  ]);
  const body = Buffer.concat([header, Buffer.from([crc(header, 8, 0x07), 0x00, 0x00, 0x00])]);
  const check = crc(body, 16, 0x8005);
  return Buffer.concat([body, Buffer.from([check >> 8, check & 255])]);
}

function crc(bytes: Buffer, width: number, polynomial: number): number {
  const [top, mask] = [2 ** (width - 1), 2 ** width - 1];
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte << (width - 8);
    for (let bit = 0; bit < 8; bit += 1) sum = ((sum << 1) ^ (sum & top ? polynomial : 0)) & mask;
  }
  return sum;
}
