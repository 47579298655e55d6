import { execFileSync } from 'node:child_process';
import { TRANSCRIPT_NAMESPACE } from '@earshot/contracts';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.ts';
import { transcriptId, unreadableId } from './transcript-id.ts';

describe('transcriptId', () => {
  it('is the UUIDv5 that any other program computes', () => {
    const name = 'acme\nshop/api\nübung-1';
    const script = 'import sys,uuid; print(uuid.uuid5(uuid.UUID(sys.argv[1]), sys.argv[2]))';
    const expected = execFileSync('python3', ['-c', script, TRANSCRIPT_NAMESPACE, name], {
      encoding: 'utf8',
    });
    expect(transcriptId('acme', 'shop/api', 'übung-1')).toBe(expected.trim());
  });

  it('differs by tenant, source and id', () => {
    const ids = [
      transcriptId('a', 'b', 'c'),
      transcriptId('x', 'b', 'c'),
      transcriptId('a', 'x', 'c'),
      transcriptId('a', 'b', 'x'),
    ];
    expect(new Set(ids).size).toBe(4);
    expect(transcriptId('a', 'b', 'c')).toBe(ids[0]);
  });

  it('names unreadable bytes by their content', () => {
    expect(unreadableId('a', Buffer.from('x'))).toBe(unreadableId('a', Buffer.from('x')));
    expect(unreadableId('a', Buffer.from('x'))).not.toBe(unreadableId('a', Buffer.from('y')));
  });
});

describe('canonicalJson', () => {
  it('does not depend on the order of names, at any depth', () => {
    expect(canonicalJson({ b: [1, { y: 1, x: 2 }], a: null, c: undefined })).toBe(
      '{"a":null,"b":[1,{"x":2,"y":1}]}',
    );
    expect(canonicalJson(JSON.parse('{"__proto__":1,"a":2}'))).toBe('{"__proto__":1,"a":2}');
  });
});
