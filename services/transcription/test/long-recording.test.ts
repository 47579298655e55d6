import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempFolder } from '@earshot/testkit';
import { expect, it } from 'vitest';
import { makeRecording, samples } from './parts.ts';

it('an hour is split in flat memory, and its first chunk is ready long before the end', async () => {
  const media = await tempFolder();
  const hour = await makeRecording(
    join(media.path, 'hour.flac'),
    ...['-stream_loop', '-1', '-i', samples.two_cities, '-t', '3600', '-ac', '1', '-ar', '16000'],
  );
  const child = fork(fileURLToPath(new URL('./split-in-process.ts', import.meta.url)), [hour], {
    execArgv: ['--conditions=@earshot/source', '--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [told] = await once(child, 'message');
  const { count, duration_ms, first_job_ms, split_ms, before_mb, peak_mb } = told as Record<string, number>;
  expect(duration_ms).toBe(3_600_000);
  expect(count).toBeGreaterThanOrEqual(48);
  expect(first_job_ms).toBeLessThan((split_ms ?? 0) / 4);
  // The sound is 115 MB; one chunk of it is 2.4 MB.
  expect((peak_mb ?? 0) - (before_mb ?? 0)).toBeLessThan(100);
  await media.remove();
});
