import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '@earshot/domain';
import { describe, expect, it } from 'vitest';
import { asyncApi, uploadEventSchema } from './asyncapi.ts';
import { errorPage } from './error-page.ts';
import { toProblem } from './http/problem.ts';

const committed = (name: string) => readFileSync(join(import.meta.dirname, '../../../docs', name), 'utf8');

type Ref = { $ref: string };
interface Document {
  asyncapi: string;
  channels: Record<string, { address: string; parameters: object; messages: Record<string, Ref> }>;
  operations: Record<string, { action: string; channel: Ref; messages: Ref[] }>;
  components: {
    messages: Record<string, { name: string; payload: { properties: { type: { const: string } } } }>;
  };
}

describe('generated documents', () => {
  it.each([
    ['asyncapi.json', asyncApi()],
    ['upload-event.schema.json', uploadEventSchema()],
  ])('docs/%s is what tools/generate-docs.ts writes', (name, generated) => {
    expect(JSON.parse(committed(name))).toEqual(generated);
  });

  it('docs/errors.md is what tools/generate-docs.ts writes', () => {
    expect(committed('errors.md')).toBe(errorPage());
  });

  it('asyncapi.json has the shape of AsyncAPI 3.0, and every reference leads somewhere', () => {
    const document = asyncApi() as unknown as Document;
    expect(document.asyncapi).toBe('3.0.0');
    const resolve = ({ $ref }: Ref) =>
      $ref
        .slice(2)
        .split('/')
        .reduce<unknown>((part, name) => (part as Record<string, unknown> | undefined)?.[name], document);
    for (const { action, channel, messages } of Object.values(document.operations)) {
      expect(['send', 'receive']).toContain(action);
      for (const ref of [channel, ...messages]) expect(resolve(ref)).toBeTypeOf('object');
    }
    for (const { address, parameters, messages } of Object.values(document.channels)) {
      for (const ref of Object.values(messages)) expect(resolve(ref)).toBeTypeOf('object');
      expect(Object.keys(parameters)).toEqual([...address.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      expect(address).not.toContain('undefined');
    }
    for (const { name, payload } of Object.values(document.components.messages)) {
      expect(payload.properties.type.const).toBe(name);
    }
    expect(Object.keys(document.channels)).toHaveLength(12);
  });

  it('names schemas and errors by names of ours, at no address that somebody else may own', () => {
    expect(uploadEventSchema().$id).toBe('urn:earshot:schema:earshot.recording.uploaded.v1');
    expect(toProblem(new CodedError('not_found', 'there is no such transcript')).type).toBe(
      'urn:earshot:error:not_found',
    );
    const pages = ['asyncapi.json', 'upload-event.schema.json', 'errors.md'].map(committed).join();
    expect(pages).not.toMatch(/https?:\/\/(?!json-schema\.org\/)/);
  });

  it('holds only JSON, no notes of the schema library', () => {
    expect(JSON.stringify([asyncApi(), uploadEventSchema()])).not.toContain('~');
  });
});
