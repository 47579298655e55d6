import { ClientError } from '@earshot/client';
import { describe, expect, it } from 'vitest';
import { age } from './age.ts';
import { describeError } from './describe-error.ts';
import { documentText } from './document-text.ts';
import { table } from './table.ts';

describe('a table', () => {
  const columns = [
    { title: 'NAME', of: (row: { name: string; count: number }) => row.name },
    { title: 'COUNT', of: (row: { count: number }) => row.count, align: 'right' as const },
    { title: 'END', of: () => 'x' },
  ];
  const rows = [
    { name: 'sherpa', count: 7 },
    { name: 'a', count: 1200 },
  ];

  it('is aligned, numbers on the right', () => {
    expect(table(columns, rows, { color: false })).toBe(
      ['NAME    COUNT  END', 'sherpa      7  x', 'a        1200  x', ''].join('\n'),
    );
  });

  it('has titles in bold only where colour is wanted', () => {
    const [titles] = table(columns, rows, { color: true }).split('\n');
    expect(titles).toBe('\u001b[1mNAME    COUNT  END\u001b[22m');
  });

  it('lets no text from elsewhere move the cursor or break a line', () => {
    const [, line] = table(columns, [{ name: 'a\u001b[2J\nb\tc', count: 1 }], { color: false }).split('\n');
    expect(line).toBe('a [2J b c      1  x');
  });
});

it('a document has a field on each line, what is inside others indented, and nothing that moves the cursor', () => {
  const evidence = { detail: 'no', stderr_tail: 'one\n\u001b[2Jtwo', more: [] };
  expect(documentText({ id: 7, evidence, job: { 'a\u001b[1m': [1, null] } })).toBe(
    [
      'id: 7',
      'evidence:',
      '  detail: no',
      '  stderr_tail: one',
      '     [2Jtwo',
      '  more:',
      'job:',
      '  a [1m:',
      '    0: 1',
      '    1: null',
      '',
    ].join('\n'),
  );
});

it.each([
  [0, '0 s'],
  [59_900, '59 s'],
  [180_000, '3 min'],
  [3_600_000, '1 h'],
  [47 * 3_600_000, '47 h'],
  [50 * 3_600_000, '2 d'],
  [-200_000, '3 min'],
])('an age of %i ms is %s', (ms, text) => {
  const now = Date.parse('2026-01-03T00:00:00Z');
  expect(age(new Date(now - ms).toISOString(), now)).toBe(text);
});

describe('an error', () => {
  const problem = { status: 400, title: 't', type: 't', help: 'Read the manual.' };

  it('is its code, its detail and what to do', () => {
    const error = new ClientError({ ...problem, code: 'conflict', detail: 'it was canceled' });
    expect(describeError(error)).toBe('conflict: it was canceled\n  Read the manual.\n');
  });

  it('lets no text of the answer move the cursor', () => {
    const error = new ClientError({
      ...problem,
      code: 'conflict',
      detail: 'no\u001b[2J',
      errors: ['\u0007'],
    });
    expect(describeError(error)).toBe('conflict: no [2J\n   \n');
  });

  it('names the fields that are wrong instead of telling where they are named', () => {
    const error = new ClientError({ ...problem, code: 'invalid_request', detail: 'no', errors: ['/a is b'] });
    expect(describeError(error)).toBe('invalid_request: no\n  /a is b\n');
  });

  it('says what to do at a terminal where the API speaks to programs', () => {
    const error = new ClientError({ ...problem, code: 'unauthorized', detail: 'no valid API key was sent' });
    expect(describeError(error)).toContain('EARSHOT_API_KEY');
  });

  it('of another kind is its own words', () => {
    expect(describeError(new Error('disk on fire'))).toBe('disk on fire\n');
  });
});
