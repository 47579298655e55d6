import { expect, it } from 'vitest';
import { unwrittenTries } from './worker-log.ts';

const line = (msg: string, entry: string) => ({ level: 'warn', msg, try: entry, at: 1 });

it('knows the paid calls whose result was used although it could not be written down, and no others', () => {
  const lines = [
    line('the result of a paid call was not stored', 'default/a/calls/1-0-blind-1'),
    line('the answer to a paid call was lost', 'default/a/calls/1-1-lookup-1'),
  ];
  expect([...unwrittenTries([{ lines }, { lines: [] }])]).toEqual(['default/a/calls/1-0-blind-1']);
});
