import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from '@earshot/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { run, startApi } from './api.ts';

type Api = Awaited<ReturnType<typeof startApi>>;
let api: Api;
afterEach(() => api.close());

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000 - 5_000).toISOString();
const letter = (id: number) => ({
  id,
  tenant_id: 'default',
  transcript_id: '6f0b2c1e-6a0e-5d0b-9a51-2f6c3f3b7a11',
  stage: 'chunk',
  plan: 1,
  n: 0,
  generation: 0,
  attempt: 5,
  code: 'engine_error',
  detail: 'the engine\u001b[31m said no',
  state: 'open',
  start_ms: 60_000,
  end_ms: 120_000,
  created_at: minutesAgo(3),
  replayed_at: null,
  discarded_at: null,
});
const page = (...ids: number[]) => ({ data: ids.map(letter), next_cursor: null });

async function earshot(answers: Readonly<Record<string, unknown>>, args: string, answer?: boolean) {
  api = await startApi(answers);
  return run(args.split(' '), { EARSHOT_URL: api.url }, answer);
}
const askedFor = () => api.asked.map(({ method, url, body }) => `${method} ${url} ${body}`.trim());

describe('where the API is', () => {
  it('is told by a flag before the environment, and the key comes from a file', async () => {
    api = await startApi({ 'GET /v1/workers': { data: [] } });
    const folder = await tempFolder();
    const file = join(folder.path, 'key');
    await writeFile(file, 'es_secret\n');
    const env = { EARSHOT_URL: 'http://127.0.0.1:1', EARSHOT_API_KEY_FILE: file };
    const { code } = await run(['workers', 'list', '--url', api.url], env);
    expect(code).toBe(0);
    expect(api.asked[0]?.authorization).toBe('Bearer es_secret');
    await folder.remove();
  });

  it('and its key are checked before anything is asked', async () => {
    api = await startApi({});
    const { code, stderr } = await run(['workers', 'list'], { EARSHOT_URL: 'nats://x', EARSHOT_TYPO: '1' });
    expect(code).toBe(2);
    expect(stderr).toContain('EARSHOT_URL is not of the right form');
    expect(stderr).toContain('EARSHOT_TYPO is not a setting');
  });
});

describe('dead letters', () => {
  const one = { 'GET /v1/dead-letters': page(7) };
  const many = {
    'GET /v1/dead-letters': page(7, 8),
    'POST /v1/dead-letters/replay': { changed: 2, refused: 0 },
    'POST /v1/dead-letters/discard': { changed: 2, refused: 0 },
  };

  it('are listed with ages and places, without what could disturb a terminal', async () => {
    const { stdout, code } = await earshot(one, 'dead-letters list');
    const [titles, row] = stdout.split('\n');
    expect(titles).toMatch(/^ID +AGE +STATE +STAGE +CODE +TRANSCRIPT +PLACE +DETAIL$/);
    expect(row).toMatch(
      /^ 7 {2}3 min {2}open +chunk +engine_error +6f0b2c1e\S+ +00:01:00–00:02:00 {2}the engine \[31m/,
    );
    expect(code).toBe(0);
  });

  it('are listed for programs as the API has them', async () => {
    const { stdout } = await earshot(one, 'dead-letters list --json --state all --code engine_error');
    expect(JSON.parse(stdout)).toMatchObject([{ id: 7, code: 'engine_error' }]);
    expect(askedFor()).toEqual(['GET /v1/dead-letters?state=all&code=engine_error&limit=100']);
  });

  it('are none on stderr, so that nothing is piped on', async () => {
    const { stdout, stderr } = await earshot({ 'GET /v1/dead-letters': page() }, 'dead-letters list');
    expect([stdout, stderr]).toEqual(['', 'no dead letters\n']);
  });

  it('are shown with their evidence', async () => {
    const evidence = { detail: 'said no', stderr_tail: 'line 1\nline 2', worker: 'w-1' };
    const { stdout } = await earshot(
      { 'GET /v1/dead-letters/7': { ...letter(7), evidence, job: { n: 0 } } },
      'dead-letters show 7',
    );
    expect(stdout).toContain('code: engine_error\n');
    expect(stdout).toContain(
      'evidence:\n  detail: said no\n  stderr_tail: line 1\n    line 2\n  worker: w-1\n',
    );
  });

  it('are replayed by id, each on its own', async () => {
    const answers = {
      'POST /v1/dead-letters/7/replay': { changed: 1 },
      'POST /v1/dead-letters/9/replay': { changed: 0 },
    };
    const { code, stdout, stderr } = await earshot(answers, 'dead-letters replay 7 8 9');
    expect(stdout).toBe('7 replayed\n9 was dealt with before\n');
    expect(stderr).toContain('8 not_found: there is no /v1/dead-letters/8/replay');
    expect(stderr).toContain('1 of 3 failed');
    expect(code).toBe(1);
  });

  it('are replayed by the lot when somebody says yes to their number', async () => {
    const { code, stdout, questions } = await earshot(many, 'dead-letters replay --code engine_error', true);
    expect(questions).toEqual(['Send the work of 2 dead letter(s) round again?']);
    expect(askedFor().at(-1)).toBe('POST /v1/dead-letters/replay {"code":"engine_error"}');
    expect([code, stdout]).toEqual([0, '2 replayed\n']);
  });

  it('are counted when they could not be replayed by the lot', async () => {
    const answers = { 'POST /v1/dead-letters/replay': { changed: 2, refused: 3 } };
    const { stdout, stderr } = await earshot(answers, 'dead-letters replay --all --yes');
    expect(stdout).toBe('2 replayed\n');
    expect(stderr).toBe('3 could not be replayed: replay one by its id to see why\n');
  });

  it('are left alone when somebody says no', async () => {
    const { code, stderr } = await earshot(many, 'dead-letters discard --all', false);
    expect(askedFor()).toEqual(['GET /v1/dead-letters?state=open&limit=200']);
    expect([code, stderr]).toEqual([1, 'nothing was changed\n']);
  });

  it('are left alone where nobody can be asked, unless --yes', async () => {
    const { code, stderr } = await earshot(many, 'dead-letters discard --all');
    expect(code).toBe(2);
    expect(stderr).toContain('Add --yes');
    await api.close();
    expect((await earshot(many, 'dead-letters discard --all --yes')).stdout).toBe('2 discarded\n');
    expect(askedFor()).toEqual(['POST /v1/dead-letters/discard {"all":true}']);
  });

  it.each([
    'dead-letters replay',
    'dead-letters replay 7 --all',
    'dead-letters replay seven',
    'dead-letters list --limit many',
    'dead-letters list --nonsense',
    'dead-letters',
    'nonsense',
  ])('and others: %s is a usage error that asks nothing', async (args) => {
    const { code, stdout, stderr } = await earshot({}, args);
    expect([code, stdout, api.asked]).toEqual([2, '', []]);
    expect(stderr).not.toBe('');
  });
});

describe('lanes', () => {
  const lane = (engine: string | null, name: string, more = {}) => ({
    durable: engine ? `chunk-${engine}-${name}` : `split-${name}`,
    stage: engine ? 'chunk' : 'split',
    engine,
    lane: name,
    waiting: 12,
    in_flight: 3,
    max_ack_pending: 100,
    paused: false,
    ...more,
  });
  const lowered = { lowered_at: minutesAgo(3), paused_until: null };

  it('are listed, and engines that quota errors lowered below them', async () => {
    const { stdout } = await earshot(
      {
        'GET /v1/lanes': {
          lanes: [lane(null, 'high'), lane('google', 'low', { paused: true, max_ack_pending: 1 })],
          engines: [
            { engine: 'google', max_ack_pending: 40, effective: 20, ...lowered },
            { engine: 'sherpa', max_ack_pending: 9, effective: 9, lowered_at: null, paused_until: null },
          ],
        },
      },
      'lanes list',
    );
    expect(stdout.split('\n')).toEqual([
      'ENGINE  LANE  WAITING  IN WORK  CAP  STATE',
      'split   high       12        3  100  open',
      'google  low        12        3    1  paused',
      'google: 20 of 40 after quota errors 3 min ago',
      '',
    ]);
  });

  it.each([
    ['lanes pause sherpa low', ['PATCH /v1/lanes/chunk-sherpa-low {"paused":true}']],
    [
      'lanes resume split',
      ['high', 'normal', 'low'].map((name) => `PATCH /v1/lanes/split-${name} {"paused":false}`),
    ],
    ['lanes cap sherpa 8', ['PUT /v1/engines/sherpa {"max_ack_pending":8}']],
    ['lanes cap sherpa low 2', ['PATCH /v1/lanes/chunk-sherpa-low {"max_ack_pending":2}']],
  ])('%s moves them', async (args, expected) => {
    const answers = {
      'PATCH /v1/lanes/chunk-sherpa-low': lane('sherpa', 'low', { paused: true }),
      'PUT /v1/engines/sherpa': { engine: 'sherpa', max_ack_pending: 8, effective: 8, lowered_at: null },
      ...Object.fromEntries(
        ['high', 'normal', 'low'].map((name) => [`PATCH /v1/lanes/split-${name}`, lane(null, name)]),
      ),
    };
    const { code, stdout } = await earshot(answers, args);
    expect([code, askedFor()]).toEqual([0, expected]);
    expect(stdout.trim().split('\n')).toHaveLength(expected.length);
  });

  it.each(['lanes pause sherpa urgent', 'lanes pause Sherpa', 'lanes cap sherpa few', 'lanes cap split 8'])(
    '%s is a usage error',
    async (args) => expect((await earshot({}, args)).code).toBe(2),
  );
});

describe('workers', () => {
  const worker = {
    id: 'host-1-42',
    host: 'host-1',
    pid: 42,
    version: '0.1.0',
    since: minutesAgo(150),
    memory_bytes: 246_000_000,
    draining: false,
    engines: [
      { name: 'sherpa', model: 'm', slots: 2, active: 1, circuit: 'closed', quota_until: null },
      { name: 'google', model: 'm', slots: 4, active: 0, circuit: 'half_open', quota_until: null },
    ],
    active_jobs: [{}],
  };

  it('are listed with what they do and what keeps them from it', async () => {
    const { stdout } = await earshot({ 'GET /v1/workers': { data: [worker] } }, 'workers list');
    expect(stdout).toMatch(
      /\nhost-1-42 {2}host-1:42 {2}2 h {2}0\.1\.0 +246 MB +1 {2}sherpa 1\/2, google 0\/4 \(circuit half open\) {2}working\n$/,
    );
  });

  it('answer a ping; without any it fails', async () => {
    const pinged = await earshot({ 'GET /v1/workers': { data: [worker] } }, 'ping');
    expect([pinged.code, pinged.stdout.includes('host-1-42')]).toEqual([0, true]);
    const silent = await earshot({ 'GET /v1/workers': { data: [] } }, 'ping');
    expect([silent.code, silent.stderr]).toEqual([1, 'no worker answers\n']);
  });

  it('that did not renew their children in time are named, with exit code 1', async () => {
    const answers = {
      'GET /v1/workers': { data: [worker, { ...worker, id: 'host-2-7' }] },
      'POST /v1/workers/restart-pool': { workers: ['host-1-42'] },
    };
    const { code, stdout, stderr } = await earshot(answers, 'workers restart-pool');
    expect([code, stdout]).toEqual([1, 'host-1-42 restarted\n']);
    expect(stderr).toBe('not restarted in time: host-2-7\n');
  });
});

it('transcripts are canceled and retried, each on its own', async () => {
  const { stdout } = await earshot(
    { 'POST /v1/transcripts/a/cancel': { status: 'canceled' } },
    'transcripts cancel a',
  );
  expect(stdout).toBe('a canceled\n');
  await api.close();
  expect((await earshot({}, 'transcripts retry a')).code).toBe(1);
});

it('recover tells what was brought back', async () => {
  const { stdout } = await earshot({ 'POST /v1/recover': { manifests: 9, recovered: 4 } }, 'recover');
  expect(stdout).toBe('4 of 9 recordings brought back to work\n');
});

it('rebuild tells how many facts the tables agree with, on stdout alone', async () => {
  const { stdout, stderr } = await earshot({ 'POST /v1/rebuild': { facts: 1204 } }, 'results rebuild');
  expect(stdout).toBe('the tables agree with 1204 facts\n');
  expect(stderr).toContain('Reading all facts');
});

it('help is data, and shows examples first', async () => {
  const { code, stdout, stderr } = await earshot({}, 'dead-letters replay --help');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^Examples:\n {2}earshot dead-letters replay 7 8\n/);
  expect(stdout.indexOf('Usage: earshot dead-letters replay')).toBeGreaterThan(0);
});
