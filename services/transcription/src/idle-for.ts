import type { Log } from '@earshot/messaging';
import type { Transcription } from './service.ts';

const LOOK_EVERY_MS = 500;

/** `reached` resolves when `transcription` has held no job for so many seconds; without seconds it never does. */
export function idleFor(
  seconds: number | undefined,
  transcription: Pick<Transcription, 'idleMs'>,
  log: Log,
): { readonly reached: Promise<void>; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  const reached = new Promise<void>((resolve) => {
    if (seconds === undefined) return;
    timer = setInterval(() => {
      if (transcription.idleMs() < seconds * 1000) return;
      clearInterval(timer);
      log.info({ seconds }, 'nothing to do: the worker ends');
      resolve();
    }, LOOK_EVERY_MS);
  });
  return { reached, stop: () => clearInterval(timer) };
}
