import { expect, it } from 'vitest';
import { startErrorReports } from './error-reports.ts';
import { createLogger } from './logger.ts';

const options = { dsn: 'https://key@sentry.test/1', service: 'ingest', environment: 'test' };

it('says what to install when the optional package is missing', async () => {
  await expect(startErrorReports(options)).rejects.toThrow(
    'SENTRY_DSN is set, but the package @sentry/node is not installed: npm install @sentry/node',
  );
});

it('reports the errors of error and fatal lines with their ids, and nothing else of the line', async () => {
  const sent: unknown[] = [];
  const sentry = {
    init: (given: object) => void sent.push(given),
    captureException: (error: Error, context: object) => void sent.push([error.message, context]),
    flush: async () => true,
  };
  await startErrorReports({ ...options, load: async () => sentry });
  expect(sent.splice(0)).toMatchObject([{ dsn: options.dsn, skipOpenTelemetrySetup: true }]);
  const log = createLogger({ service: 'test', stream: { write: () => {} } });
  log.error({ err: new Error('broken'), transcript_id: 't', text: 'what was said' }, 'request failed');
  log.child({ part: 1 }).fatal(new Error('the end'));
  log.warn({ err: new Error('passing') }, 'again');
  log.error({ detail: 'no error object' }, 'odd');
  expect(sent).toEqual([
    ['broken', { tags: { transcript_id: 't' } }],
    ['the end', { tags: {} }],
  ]);
});

it('takes what lets one in out of the words of an error and its causes', async () => {
  let sending = (event: object): unknown => event;
  const sentry = {
    init: (given: { beforeSend: typeof sending }) => {
      sending = given.beforeSend;
    },
  };
  await startErrorReports({ ...options, load: async () => sentry });
  const values = [{ value: 'GET https://me:s3cret@host/a?sig=s3cret&x=1 failed' }, { type: 'Error' }];
  expect(sending({ exception: { values }, level: 'error' })).toEqual({
    exception: {
      values: [{ value: 'GET https://[redacted]@host/a?sig=[redacted]&x=1 failed' }, { type: 'Error' }],
    },
    level: 'error',
  });
  expect(sending({ message: 'none' })).toEqual({ message: 'none' });
});
