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
