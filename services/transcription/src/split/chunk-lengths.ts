import type { EngineCapabilities } from '@earshot/engine';

/** Shortest and longest chunk in milliseconds. */
export interface ChunkLengths {
  readonly minMs: number;
  readonly maxMs: number;
}

const LOCAL: ChunkLengths = { minMs: 45_000, maxMs: 75_000 };

/** A chunk is held in memory while it is cut, 32 KB a second and channel; and one lost is one to be done again. */
const LONGEST_MS = 20 * 60_000;

/**
 * About a minute for engines in child processes, so that many workers share a recording and a kill costs little; as much
 * as a remote engine takes in one call otherwise, 20 minutes at most. An engine that this worker does not know gets the short ones.
 */
export function chunkLengths(engine: EngineCapabilities | undefined): ChunkLengths {
  if (!engine) return LOCAL;
  const longest = Math.min(LONGEST_MS, Math.floor(engine.maxChunkMs * 0.9));
  const maxMs = engine.runs === 'child' ? Math.min(LOCAL.maxMs, longest) : longest;
  return { minMs: Math.floor(maxMs * 0.6), maxMs };
}
