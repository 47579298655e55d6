import { expect, it } from 'vitest';
import { subjectTemplate } from './subject-template.ts';
import { chunkJobSubject, factSubjects, laterSubject, splitJobSubject, uploadSubject } from './subjects.ts';

it('knows every subject by its template, without a name or a number of anybody', () => {
  const chunk = chunkJobSubject({ engine: 'sherpa', lane: 'high', tenant: 'acme', id: 'i', plan: 1, n: 12 });
  const facts = factSubjects('acme', 'i');
  expect(subjectTemplate(uploadSubject('acme'))).toBe('uploads.{tenant}');
  expect(subjectTemplate(splitJobSubject('low', 'acme', 'i'))).toBe('jobs.split.{lane}.{tenant}.{id}');
  expect(subjectTemplate(chunk)).toBe('jobs.chunk.{engine}.{lane}.{tenant}.{id}.{plan}.{n}');
  expect(subjectTemplate(laterSubject(chunk))).toBe(
    'jobs.later.chunk.{engine}.{lane}.{tenant}.{id}.{plan}.{n}',
  );
  expect(subjectTemplate(facts.accepted)).toBe('transcripts.{tenant}.{id}.accepted');
  expect(subjectTemplate(facts.gaveUp('chunk', 1, 2))).toBe(
    'transcripts.{tenant}.{id}.gave_up.{stage}.{plan}.{n}',
  );
  expect(subjectTemplate('other.subject')).toBeUndefined();
});
