import { expect, it, onTestFinished } from 'vitest';
import { run, startApi } from './api.ts';

const sum = (tenant_id: string, billed_ms: number) => ({
  ...{ tenant_id, key: 'google', chunks: 2, audio_ms: 120_000, billed_ms },
});

async function usage(data: object[], ...args: string[]) {
  const page = { group_by: 'engine', from: '', to: '', total: {}, data, next_cursor: null };
  const api = await startApi({ 'GET /v1/usage': page });
  onTestFinished(() => api.close());
  const env = { EARSHOT_URL: api.url, EARSHOT_API_KEY: 'es_key' };
  return { ...(await run(['usage', ...args], env)), asked: api.asked };
}

it('shows what was billed in minutes, and the sum', async () => {
  const days = ['--from', '2026-11-01', '--to', '2026-11-30'];
  const { code, stdout, asked } = await usage(
    [sum('acme', 90_000), sum('zenith', 60_000)],
    '--by',
    'engine',
    ...days,
  );
  expect(code).toBe(0);
  expect(stdout.split('\n')).toEqual([
    'TENANT  ENGINE  CHUNKS  AUDIO MIN  BILLED MIN',
    'acme    google       2        2.0         1.5',
    'zenith  google       2        2.0         1.0',
    '2.5 minutes billed in all',
    '',
  ]);
  const query = new URL(asked[0]?.url ?? '', 'http://x').searchParams;
  expect(Object.fromEntries(query)).toEqual({ from: '2026-11-01', to: '2026-11-30', group_by: 'engine' });
});

it('says that nothing was billed, and gives JSON to programs', async () => {
  expect(await usage([])).toMatchObject({ code: 0, stdout: '', stderr: 'no paid calls in that time\n' });
  const { stdout } = await usage([sum('acme', 1)], '--json');
  expect(JSON.parse(stdout)).toEqual([sum('acme', 1)]);
});

it('knows what can be summed by', async () => {
  expect(await usage([], '--by', 'session')).toMatchObject({ code: 2, asked: [] });
});

const difference = (n: number, usage_ms: number | null, ledger_ms: number | null, open_calls = 0) => ({
  ...{
    tenant_id: 'acme',
    transcript_id: 'id-1',
    plan: 1,
    n,
    engine: 'google',
    usage_ms,
    ledger_ms,
    open_calls,
  },
});

async function check(data: object[], ...args: string[]) {
  const page = { checked: 7, recorded: args.includes('--record') ? 1 : 0, data, next_cursor: null };
  const path = '/v1/usage/differences';
  const api = await startApi({ [`GET ${path}`]: page, [`POST ${path}`]: page });
  onTestFinished(() => api.close());
  return { ...(await run(['usage', 'check', ...args], { EARSHOT_URL: api.url })), asked: api.asked };
}

it('checks usage against the ledger, and ends with 1 when they differ', async () => {
  const { code, stdout, stderr } = await check([difference(0, null, 60_000), difference(1, null, 0, 1)]);
  expect(code).toBe(1);
  expect(stdout.split('\n').slice(0, 3)).toEqual([
    'TENANT  TRANSCRIPT  CHUNK  ENGINE  USAGE MIN  LEDGER MIN  OPEN CALLS',
    'acme    id-1        1.0    google          -         1.0           0',
    'acme    id-1        1.1    google          -         0.0           1',
  ]);
  expect(stderr).toContain('7 transcripts, 1 chunks differ, 0 recorded');
  expect(await check([])).toMatchObject({ code: 0, stdout: '' });
  expect(await check([difference(1, null, 0, 1)])).toMatchObject({ code: 0 });
});

it('records what only the ledger knows when it is asked to', async () => {
  const days = ['--from', '2026-11-01', '--tenant', 'acme'];
  const { code, asked } = await check([difference(0, null, 60_000)], '--record', ...days);
  expect(code).toBe(0);
  expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
    'POST /v1/usage/differences?from=2026-11-01&tenant=acme',
  ]);
});
