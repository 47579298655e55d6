import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCli } from '@earshot/cli';
import { Client } from '@earshot/client';
import type { DeadLetterSummary, Lanes, WorkerState } from '@earshot/contracts';
import { embeddedOptionsFromEnv, resolveSpeechModel } from '@earshot/embedded';
import { openFileStorage } from '@earshot/storage-file';
import { eventually, tempFolder } from '@earshot/testkit';
import { connect } from 'nats';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startEarshot } from './earshot-process.ts';

let folder: Awaited<ReturnType<typeof tempFolder>>;
let running: Awaited<ReturnType<typeof startEarshot>>;
beforeAll(async () => {
  folder = await tempFolder();
  running = await startEarshot(join(folder.path, 'home'));
});
afterAll(async () => {
  await running.interrupt();
  await folder.remove();
});

/** The command as an operator runs it, without a terminal; in this process, which is quicker. */
async function earshot(args: string) {
  const said = { stdout: '', stderr: '' };
  const into = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      said[name] += text;
    },
  });
  const terminal = { stdout: into('stdout'), stderr: into('stderr'), color: false, confirm: undefined };
  const env = { PATH: process.env.PATH, EARSHOT_URL: running.url, NATS_URL: running.natsUrl };
  const code = await runCli({ args: args.split(' '), env, terminal });
  return { code, ...said };
}
const lanes = async () => JSON.parse((await earshot('lanes list --json')).stdout) as Lanes;

it('shows and moves the lanes of a running Earshot', async () => {
  expect((await earshot('lanes list')).stdout).toMatch(/\nsherpa +low +0 +0 +100 +open\n/);
  expect(await earshot('lanes cap sherpa 8')).toMatchObject({ code: 0, stdout: 'sherpa 8\n' });
  expect((await earshot('lanes pause sherpa low')).stdout).toBe('chunk-sherpa-low paused\n');
  const low = (await lanes()).lanes.find(({ durable }) => durable === 'chunk-sherpa-low');
  expect(low).toMatchObject({ max_ack_pending: 1, paused: true });
  expect((await earshot('lanes resume sherpa low')).stdout).toBe('chunk-sherpa-low open\n');
});

it('says what is wrong, with a code and what to do', async () => {
  const refused = await earshot('lanes cap sherpa 2');
  expect([refused.code, refused.stdout]).toEqual([1, '']);
  expect(refused.stderr).toMatch(/^invalid_request: .*\n {2}.*at least 3, one for each lane/);
  expect(await earshot('lanes pause unheard low')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^not_found: there is no lane chunk-unheard-low\n/),
  });
});

it('shows the workers and renews their child processes', async () => {
  const list = async () => JSON.parse((await earshot('workers list --json')).stdout) as WorkerState[];
  const [worker] = await eventually(
    'the worker',
    async () => {
      const found = await list();
      return found.length > 0 && found;
    },
    30_000,
  );
  const restarted = await earshot('workers restart-pool');
  expect(restarted).toMatchObject({ code: 0, stdout: `${worker?.id} restarted\n` });
});

it('finds what differs in the topology, and mends it', async () => {
  expect(await earshot('topology diff')).toMatchObject({ code: 0, stdout: '', stderr: 'nothing differs\n' });
  const nats = await connect({ servers: running.natsUrl });
  const manager = await nats.jetstreamManager();
  await manager.consumers.delete('JOBS', 'chunk-sherpa-low');
  await nats.close();
  const diff = await earshot('topology diff');
  expect([diff.code, diff.stdout]).toEqual([1, 'consumer chunk-sherpa-low of JOBS is missing\n']);
  expect(await earshot('topology apply')).toMatchObject({
    code: 0,
    stdout: 'mended: consumer chunk-sherpa-low of JOBS is missing\n',
  });
  await eventually(
    'the cap that was set',
    async () => {
      const { lanes: all } = await lanes();
      return all.find(({ durable }) => durable === 'chunk-sherpa-low')?.max_ack_pending === 1;
    },
    20_000,
  );
});

it('finds on this machine what npm run doctor finds', async () => {
  const { code, stdout } = await earshot('doctor');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ok {3}Node +\d+\.\d+/);
  expect(stdout).toMatch(/nats-server +2\.\d+/);
});

it('holds the work of a paused lane, and cancels what waits in it', async () => {
  expect((await earshot('lanes pause split normal')).code).toBe(0);
  const { id } = await new Client({ baseUrl: running.url }).recordings.create({ uri: 'default/in/none.wav' });
  await eventually('the job to wait', async () => {
    const lane = (await lanes()).lanes.find(({ durable }) => durable === 'split-normal');
    return lane?.waiting === 1 && lane.in_flight === 0;
  });
  expect((await earshot(`transcripts cancel ${id}`)).stdout).toBe(`${id} canceled\n`);
  expect(await earshot(`transcripts retry ${id}`)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(new RegExp(`^${id} conflict: `)),
  });
  expect((await earshot('lanes resume split')).stdout.split('\n')).toContain('split-normal open');
});

it('shows what was given up on and why, and replays it once its cause is gone', async () => {
  const storage = await openFileStorage({ root: join(folder.path, 'home/storage') });
  await storage.put('default/in/talk.wav', Buffer.from('this is no sound '.repeat(100)));
  const api = new Client({ baseUrl: running.url });
  const { id } = await api.recordings.create({ uri: 'default/in/talk.wav' });
  await expect(api.transcripts.wait(id)).rejects.toMatchObject({ code: 'not_audio' });
  const { stdout } = await earshot(`dead-letters list --transcript ${id} --json`);
  const [letter] = JSON.parse(stdout) as DeadLetterSummary[];
  expect(letter).toMatchObject({ stage: 'split', code: 'not_audio', state: 'open' });
  expect((await earshot(`dead-letters show ${letter?.id}`)).stdout).toContain('code: not_audio\n');
  const { samples } = await resolveSpeechModel(embeddedOptionsFromEnv(process.env));
  const sample = samples.find((path) => path.endsWith('beckett.wav')) ?? '';
  await storage.put('default/in/talk.wav', await readFile(sample));
  await storage.close();
  expect((await earshot('dead-letters replay --code not_audio')).code).toBe(2);
  expect(await earshot('dead-letters replay --code not_audio --yes')).toMatchObject({
    code: 0,
    stdout: '1 replayed\n',
  });
  await eventually(
    'the transcript',
    async () => {
      const { status, text } = await api.transcripts.get(id);
      return status === 'completed' && text.includes('try again');
    },
    30_000,
  );
  expect((await earshot(`dead-letters replay ${letter?.id}`)).stdout).toBe(
    `${letter?.id} was dealt with before\n`,
  );
  expect((await earshot('dead-letters list')).stderr).toBe('no dead letters\n');
});

it('finds nothing to recover where every recording has its transcript', async () => {
  expect(await earshot('recover')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^0 of \d+ recordings brought back to work\n$/),
  });
});
