import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { failed, reportLines } from './report.ts';
import { runChaos } from './run-chaos.ts';

it('loses nothing, doubles nothing and pays for nothing twice while everything is broken again and again', async () => {
  const lines: string[] = [];
  const report = await runChaos({
    ...{ seed: 5, jobs: 240, chunksEach: 20, samples: 1, seconds: 20, workers: 3 },
    ...{ kills: 6, partitions: 3, rolling: 0, others: 2, loseStore: true, fullDisk: true },
    ...{ ackWaitSeconds: 5, restSeconds: 200 },
    keepIn: tmpdir(),
    say: (line) => lines.push(line),
  });
  const replay =
    '--seed 5 --jobs 240 --chunks 20 --samples 1 --seconds 20 --kills 6 --partitions 3 --others 2';
  const told = [...lines, ...reportLines(report, replay)].join('\n');
  expect(failed(report), told).toBe(false);
  expect(report.jobs).toBeGreaterThanOrEqual(240);
}, 400_000);
