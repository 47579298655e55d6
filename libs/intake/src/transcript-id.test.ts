import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.ts';
import { transcriptId, unreadableId } from './transcript-id.ts';

describe('transcriptId', () => {
  // Computed with Python: uuid.uuid5(uuid.UUID(namespace), 'tenant\nsource\nid').
  it.each([
    ['acme', 'shop/api', 'übung-1', '112c8af2-1afc-5509-9787-c6eb8583aa88'],
    ['default', 'https://api.example.com/uploads', 'upload-0001', 'fa43adf7-2d87-51e4-93d4-509aecb4bc27'],
  ])('is the UUIDv5 that any other program computes: %s %s %s', (tenant, source, id, expected) => {
    expect(transcriptId(tenant, source, id)).toBe(expected);
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
