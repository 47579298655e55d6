import { type Span, trace } from '@opentelemetry/api';
import { afterEach, expect, it, vi } from 'vitest';
import { createLogger } from './logger.ts';
import { googlePlatform } from './telemetry.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
afterEach(() => vi.restoreAllMocks());

/** A logger, and what it wrote. */
function recorded(options: { google?: { project: string | undefined } } = {}) {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const log = createLogger({ service: 'test', stream, ...options });
  return { log, text: () => lines.join(''), lines: () => lines.map((line) => JSON.parse(line)) };
}

const inSpan = () =>
  vi.spyOn(trace, 'getActiveSpan').mockReturnValue({
    spanContext: () => ({ traceId: TRACE, spanId: SPAN, traceFlags: 1 }),
  } as Span);

it('names the trace and the span at work, unless a line names a trace itself', () => {
  const { log, lines } = recorded();
  log.info('outside');
  inSpan();
  log.info({ transcript_id: 't' }, 'inside');
  log.info({ trace_id: 'of the job' }, 'named');
  expect(lines()[0]).not.toHaveProperty('trace_id');
  expect(lines()[1]).toMatchObject({ trace_id: TRACE, span_id: SPAN, transcript_id: 't' });
  expect(lines()[2]).toMatchObject({ trace_id: 'of the job' });
});

it('writes no secret and no transcript text, at whatever depth', () => {
  const { log, text } = recorded();
  const headers = { authorization: 'Bearer s3cret', cookie: 'id=s3cret', 'set-cookie': ['id=s3cret'] };
  log.info({ ...headers, token: 's3cret', password: 's3cret', text: 's3cret words' }, 'top');
  log.info({ headers, segment: { text: 's3cret words' } }, 'one deep');
  log.info({ req: { headers }, chunk: { segment: { text: 's3cret' } } }, 'two deep');
  expect(text()).not.toContain('s3cret');
  expect(text()).toContain('[redacted]');
});

it('takes the signatures out of signed URLs wherever they stand', () => {
  const { log, text } = recorded();
  const google = 'https://storage.googleapis.com/b/a.wav?X-Goog-Credential=s3cret&X-Goog-Signature=s3cret';
  const amazon = 'https://b.s3.amazonaws.com/a.wav?X-Amz-Security-Token=s3cret&x-amz-signature=s3cret&x=1';
  log.warn({ uri: google, err: new Error(`GET ${amazon} failed`) }, `cannot fetch ${amazon}`);
  expect(text()).not.toContain('s3cret');
  expect(text()).toContain('&x=1');
});

it('takes users and passwords out of addresses wherever they stand', () => {
  const { log, text } = recorded();
  const fields = { servers: ['nats://me:s3cret@broker:4222', 'nats://plain:4222'], detail: 'to a@b.c' };
  log.warn(fields, 'cannot reach postgres://s3cret:s3cret@db/x, https://host/a@b or https://host?to=a@b');
  expect(text()).not.toContain('s3cret');
  for (const kept of ['@broker:4222', 'nats://plain', 'a@b.c', '@db/x', 'host/a@b', 'host?to=a@b'])
    expect(text()).toContain(kept);
});

it('speaks to Cloud Logging on Google', () => {
  expect(googlePlatform({})).toBeUndefined();
  expect(googlePlatform({ K_SERVICE: 'ingest' })).toEqual({ project: undefined });
  const google = googlePlatform({ GOOGLE_CLOUD_PROJECT: 'acme' });
  const { log, lines } = recorded(google ? { google } : {});
  inSpan();
  log.warn('careful');
  log.fatal('the end');
  expect(lines()).toMatchObject([
    {
      severity: 'WARNING',
      message: 'careful',
      'logging.googleapis.com/trace': `projects/acme/traces/${TRACE}`,
      'logging.googleapis.com/spanId': SPAN,
      'logging.googleapis.com/trace_sampled': true,
    },
    { severity: 'CRITICAL' },
  ]);
});
