import { expect, it } from 'vitest';
import { runsIn, unwrittenTries } from './worker-log.ts';

const line = (msg: string, entry: string) => ({ level: 'warn', msg, try: entry, at: 1 });

it('knows the paid calls whose result was used although it could not be written down, and no others', () => {
  const lines = [
    line('the result of a paid call was not stored', 'default/a/calls/1-0-blind-1'),
    line('the answer to a paid call was lost', 'default/a/calls/1-1-lookup-1'),
  ];
  expect([...unwrittenTries([{ lines }, { lines: [] }])]).toEqual(['default/a/calls/1-0-blind-1']);
});

it('a job that begins again after its store was lost, and is cut off, is not taken for the one that ended before', () => {
  const of = (msg: string, at: number, more = {}) => ({
    ...{ level: 'info', msg, at, stage: 'chunk', transcript_id: 't', plan: 1, n: 0, attempt: 1, delivery: 1 },
    ...more,
  });
  const lines = [of('job started', 1), of('job finished', 2, { outcome: 'done' }), of('job started', 3)];
  expect(runsIn([{ name: 'w.0', lines }])).toMatchObject([
    { started_at: 1, ended_at: 2, outcome: 'done' },
    { started_at: 3, ended_at: undefined, outcome: undefined },
  ]);
});
