import { expect, it } from 'vitest';
import { useContract } from './broker.ts';

const MESSAGES = 40_000;

// Written without waiting for the disk, which is not what is measured.
const broker = useContract({ monitored: true, syncAlways: false });

async function residentBytes(): Promise<number> {
  const answer = await fetch(`${broker().server.monitorUrl}/varz`);
  return ((await answer.json()) as { mem: number }).mem;
}

/** Stores a message on each subject; the server answers for every thousandth. */
async function fill(subjectOf: (n: number) => string): Promise<void> {
  for (let n = 1; n <= MESSAGES; n += 1) {
    if (n % 1_000 === 0) await broker().publish(subjectOf(n));
    else broker().nc.publish(subjectOf(n));
  }
}

// 220 to 300 B in use, about 400 B resident. Ids in subjects rest on it: a million kept facts cost the broker 0.4 GB,
// not 10.
it('a subject costs the broker some hundred bytes of memory, more than a message on a subject that is there', async () => {
  const stream = await broker().stream({ retention: 'limits' });
  await fill(() => `${stream}.same`);
  const before = await residentBytes();
  await fill((n) => `${stream}.default.0198c0de-0000-7000-8000-${String(n).padStart(12, '0')}.chunk.1.0`);
  const bytes = ((await residentBytes()) - before) / MESSAGES;
  expect(await broker().count(stream)).toBe(2 * MESSAGES);
  expect(bytes).toBeGreaterThan(50);
  expect(bytes).toBeLessThan(2_000);
});
