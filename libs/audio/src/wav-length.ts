import { open } from 'node:fs/promises';

/**
 * True when a RIFF/WAVE file's `data` chunk claims fewer bytes than follow it and what follows is no further chunk:
 * the size field lies, and a reader that believes it would lose the rest. False for every other file.
 */
export async function dataSizeLies(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const read = async (position: number) => {
      const header = Buffer.alloc(8);
      const { bytesRead } = await file.read(header, 0, 8, position);
      return bytesRead === 8
        ? { id: header.toString('latin1', 0, 4), bytes: header.readUInt32LE(4) }
        : undefined;
    };
    if ((await read(0))?.id !== 'RIFF') return false;
    return await endsAmidSound(read, size);
  } finally {
    await file.close();
  }
}

interface ChunkHeader {
  readonly id: string;
  readonly bytes: number;
}

async function endsAmidSound(
  read: (position: number) => Promise<ChunkHeader | undefined>,
  size: number,
): Promise<boolean> {
  let position = 12;
  for (let chunks = 0; chunks < 64; chunks += 1) {
    const chunk = await read(position);
    if (chunk === undefined) return false;
    const end = position + 8 + chunk.bytes + (chunk.bytes % 2);
    if (chunk.id === 'data') return end + 8 < size && !isChunk(await read(end), size - end);
    position = end;
  }
  return false;
}

function isChunk(header: ChunkHeader | undefined, room: number): boolean {
  return header !== undefined && /^[A-Za-z0-9_ ]{4}$/.test(header.id) && header.bytes + 8 <= room + 1;
}
