import { randomUUID } from 'node:crypto';
import {
  type Accepted,
  accepted,
  type Chunk,
  chunkFact,
  type GaveUp,
  gaveUp,
  type Manifest,
  type OutgoingMessage,
  type Split,
  splitFact,
} from '@earshot/contracts';
import type { ReceivedMessage } from '../src/facts/read-fact.ts';

const context = { source: 'earshot/test', traceparent: undefined };

/** Chunks of test recordings are this long. */
export const CHUNK_MS = 60_000;

let seq = 1_700_000_000_000;

/** A message as the loop would hand it over; each gets the next sequence. */
export function received(message: OutgoingMessage): ReceivedMessage {
  seq += 1;
  const bytes = Buffer.from(JSON.stringify(message.event));
  const event = JSON.parse(bytes.toString());
  return { subject: message.subject, event, bytes, seq, traceparent: message.traceparent };
}

/** The manifest that the same acceptance would have. */
export function manifestOf({ event }: ReceivedMessage): Manifest {
  if (!event) throw new Error('no event');
  const { key: uri, accepted_at: created_at, ...rest } = event.data as Accepted;
  return { ...rest, kind: 'recording', source: 'test', event_id: rest.transcript_id, uri, created_at };
}

/** Facts about one recording. */
export function factsOf(id: string = randomUUID(), tenant = 'default') {
  const base = { tenant_id: tenant, transcript_id: id, generation: 0 };
  return {
    id,
    tenant,
    accepted: (over: Partial<Accepted> = {}) =>
      received(
        accepted.create(
          {
            tenant_id: tenant,
            transcript_id: id,
            key: `${tenant}/${id}/bytes/0`,
            engine: 'sherpa',
            lane: 'normal',
            channels: 'auto',
            options: { session_id: `session-${id}` },
            warnings: [],
            accepted_at: '2026-11-23T10:00:00.000Z',
            ...over,
          },
          context,
        ),
      ),
    split: (count: number, over: Partial<Split> = {}) =>
      received(
        splitFact.create(
          {
            ...base,
            plan: 1,
            count,
            duration_ms: count * CHUNK_MS,
            channels: 1,
            cuts: Array.from({ length: count }, (_, n) => ({
              start_ms: n * CHUNK_MS,
              end_ms: (n + 1) * CHUNK_MS,
              key: `${tenant}/${id}/chunks/1-${n}-x`,
              channels: 1,
            })),
            ...over,
          },
          context,
        ),
      ),
    chunk: (n: number, text = `words of ${n}`, over: Partial<Chunk> = {}) =>
      received(chunkFact.create({ ...chunkData(base, n, text), ...over }, context)),
    gaveUp: (n: number, over: Partial<GaveUp> = {}) =>
      received(
        gaveUp.create(
          {
            ...base,
            stage: 'chunk',
            plan: 1,
            n,
            attempt: 5,
            code: 'engine_error',
            evidence: { detail: 'it failed' },
            ...over,
          },
          context,
        ),
      ),
  };
}

function chunkData(
  base: { tenant_id: string; transcript_id: string; generation: number },
  n: number,
  text: string,
): Chunk {
  const start_ms = n * CHUNK_MS;
  const words = text.split(' ').filter(Boolean);
  return {
    ...base,
    plan: 1,
    n,
    attempt: 1,
    start_ms,
    end_ms: start_ms + CHUNK_MS,
    engine: 'sherpa',
    model: 'tiny',
    language: 'en',
    segments: text
      ? [
          {
            start_ms,
            end_ms: start_ms + 1000 * words.length,
            text,
            channel: 0,
            speaker: null,
            words: words.map((word, index) => ({
              start_ms: start_ms + index * 1000,
              end_ms: start_ms + index * 1000 + 900,
              text: word,
              confidence: 0.9,
              timing: 'exact',
            })),
          },
        ]
      : [],
    speech_ms: text ? 30_000 : 0,
    transcribed_ms: text ? 30_000 : 0,
    worker: 'worker-1',
    engine_ms: 100,
  };
}
