import type { Queue } from '@earshot/contracts';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { printJson } from '../print/output.ts';
import { withExamples } from './examples.ts';

const percent = (ratio: number | null) => (ratio === null ? 'unknown' : `${Math.round(ratio * 100)} %`);
const minutes = (seconds: number) => `${(seconds / 60).toFixed(1)} min`;

function workText({ advice, workers }: Queue): string {
  if (advice.workers === 'same') return `keep ${workers} workers`;
  return `scale ${advice.workers}: ${workers} → ${advice.workers_wanted} workers`;
}

function clearText({ clearance, workers, slots, audio_seconds, realtime_factor }: Queue): string {
  if (realtime_factor === null || clearance.workers === null) {
    return 'how long the backlog takes is not known: nothing was transcribed in the last 15 minutes, or no worker is there';
  }
  const work = `${minutes(audio_seconds)} of audio × ${realtime_factor.toFixed(3)} realtime factor`;
  return `${work} ÷ ${slots} slots: ${workers} workers clear it in ${clearance.minutes} min, ${clearance.workers} in ${clearance.within_minutes} min`;
}

/** The advice first, then why, then the figures. */
function queueText(queue: Queue): string {
  const { advice } = queue;
  const concurrency = advice.concurrency === 'same' ? [] : [`${advice.concurrency} the concurrency`];
  const look = advice.investigate ? ['find out why so much fails'] : [];
  return [
    [workText(queue), ...concurrency, ...look].join('; '),
    ...advice.reasons.map((reason) => `  ${reason}`),
    '',
    `queue ${queue.queue_length} (${queue.waiting} waiting, ${queue.active_tasks} in work), ${queue.scheduled_tasks} for later, ${queue.failed_tasks} failed; the oldest for ${minutes(queue.oldest_seconds)}`,
    `CPU ${percent(queue.cpu_ratio)}, memory ${percent(queue.memory_ratio)}, failures ${percent(queue.failure_ratio)}`,
    clearText(queue),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

/** `earshot scale`: whether to run more or fewer workers, and why. */
export function addScale(program: Command, { client, terminal }: CommandContext): void {
  withExamples(
    program
      .command('scale')
      .description('tell whether to run more or fewer workers, and why')
      .option('--json', 'as JSON'),
    'earshot scale',
    'earshot scale --json',
  ).action(async ({ json }: { json?: true }) => {
    const queue = await client().queue();
    if (json) return printJson(terminal, queue);
    terminal.stdout.write(queueText(queue));
  });
}
