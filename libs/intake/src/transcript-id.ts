import { createHash } from 'node:crypto';
import { TRANSCRIPT_NAMESPACE } from '@earshot/contracts';

/**
 * The id of the transcript that an upload event asks for: UUIDv5 of tenant, CloudEvents `source` and `id` joined by
 * newlines. The same three always give the same id, so a publisher can compute it without us.
 */
export function transcriptId(tenant: string, source: string, id: string): string {
  const hash = createHash('sha1')
    .update(Buffer.from(TRANSCRIPT_NAMESPACE.replaceAll('-', ''), 'hex'))
    .update(`${tenant}\n${source}\n${id}`)
    .digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return [
    [0, 8],
    [8, 12],
    [12, 16],
    [16, 20],
    [20, 32],
  ]
    .map(([from, to]) => hex.slice(from, to))
    .join('-');
}

/** The id under which an event without a usable key is given up on: the same bytes, the same id. */
export function unreadableId(tenant: string, payload: Uint8Array): string {
  return transcriptId(tenant, 'unreadable', createHash('sha256').update(payload).digest('hex'));
}
