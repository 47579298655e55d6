import { CodedError } from '@earshot/domain';
import { expect, it } from 'vitest';
import { outcomeOf } from './outcomes.ts';

it('gives up at once on what will never work, and retries the rest', () => {
  expect(outcomeOf(new CodedError('corrupt')).kind).toBe('give_up');
  expect(outcomeOf(new CodedError('invalid_request')).kind).toBe('give_up');
  expect(outcomeOf(new CodedError('timeout')).kind).toBe('retry');
  expect(outcomeOf(new TypeError('a bug')).kind).toBe('retry');
});

it('knows a coded error that crossed a process by its code, and keeps its evidence', () => {
  const thrown = Object.assign(new Error('not a sound file'), {
    code: 'not_audio',
    stderr_tail: 'Invalid data',
  });
  expect(outcomeOf(thrown)).toMatchObject({
    kind: 'give_up',
    stderr_tail: 'Invalid data',
    error: { code: 'not_audio' },
  });
});

it('never takes a foreign code for one of ours', () => {
  const thrown = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  expect(outcomeOf(thrown)).toMatchObject({ kind: 'retry', error: { code: 'internal' } });
});
