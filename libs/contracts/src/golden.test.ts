import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { accepted } from './accepted/message.ts';
import { chunkFact } from './chunk-fact/message.ts';
import { chunkJob } from './chunk-job/message.ts';
import type { CloudEvent } from './envelope.ts';
import { finalFacts } from './final-fact/message.ts';
import { gaveUp } from './gave-up/message.ts';
import type { MessageKind } from './message.ts';
import { messageKinds } from './message-kinds.ts';
import { readRecordingUploaded } from './recording-uploaded/read.ts';
import { splitFact } from './split-fact/message.ts';
import { splitJob } from './split-job/message.ts';
import { parseFactSubject } from './subjects.ts';

const here = import.meta.dirname;
const folders = readdirSync(here).filter((name) => existsSync(join(here, name, 'message.ts')));
const goldens = folders.flatMap((folder) =>
  readdirSync(join(here, folder))
    .filter((name) => /^golden\.v\d+\.json$/.test(name))
    .map((name) => [folder, name] as const),
);
const read = ([folder, name]: readonly [string, string]) =>
  JSON.parse(readFileSync(join(here, folder, name), 'utf8')) as CloudEvent<Record<string, unknown>>;

const kinds: Record<string, unknown> = {
  accepted,
  'chunk-fact': chunkFact,
  'chunk-job': chunkJob,
  'final-fact': finalFacts.partial,
  'gave-up': gaveUp,
  'split-fact': splitFact,
  'split-job': splitJob,
};
const kindOf = (folder: string) => kinds[folder] as MessageKind<never> | undefined;

describe('golden messages', () => {
  it('exist for every message', () => {
    expect([...new Set(goldens.map(([folder]) => folder))]).toEqual(folders);
    expect(folders).toHaveLength(8);
  });

  it.each(goldens)('%s/%s is still readable and loses nothing', (folder, name) => {
    const golden = read([folder, name]);
    const kind = kindOf(folder);
    if (kind) expect(kind.read(golden)).toEqual(golden.data);
    else expect(readRecordingUploaded(golden.data ?? {}, 'invalid_event')).toEqual(golden.data);
  });

  it.each(Object.keys(kinds))('%s refuses data that lacks a field, and another type', (folder) => {
    const golden = read([folder, 'golden.v1.json']);
    const { transcript_id: _, ...lacking } = golden.data ?? {};
    const code = (event: CloudEvent) => {
      try {
        kindOf(folder)?.read(event);
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(code({ ...golden, data: lacking })).toBe('unreadable_message');
    expect(code({ ...golden, type: 'earshot.other.v1' })).toBe('unreadable_message');
  });

  it.each(Object.keys(kinds))(
    '%s makes messages that it reads, with subjects that name the transcript',
    (folder) => {
      const kind = kindOf(folder);
      const data = read([folder, 'golden.v1.json']).data as never;
      const message = kind?.create(data, { source: 'test', traceparent: 't' });
      expect(kind?.read(message?.event as CloudEvent)).toEqual(data);
      const { tenant_id, transcript_id } = data as { tenant_id: string; transcript_id: string };
      expect(message?.subject).toContain(`.${tenant_id}.${transcript_id}`);
      if (folder.endsWith('-job')) expect(message?.subject).toMatch(/^jobs\./);
      else
        expect(parseFactSubject(message?.subject ?? '')).toMatchObject({
          tenant: tenant_id,
          id: transcript_id,
        });
    },
  );

  it('gives every kind a type of its own', () => {
    expect(new Set(messageKinds.map(({ kind }) => kind.type)).size).toBe(messageKinds.length);
  });
});
