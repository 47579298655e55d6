/**
 * Word error rate of Earshot's whole path and of the bare model, on texts that are known exactly. Fails when Earshot makes
 * more than 5 % errors, or is more than half a point away from the bare model. The last row is the sum of all.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wordErrorRate } from '../../libs/testkit/src/word-error-rate.ts';
import { transcribeBare } from './bare.ts';
import { transcribeWithEarshot } from './earshot.ts';
import { joinRecordings } from './join-recordings.ts';
import { type KnownRecording, knownRecordings } from './recordings.ts';

const MOST_ERRORS = 0.05;
const MOST_DIFFERENCE = 0.005;

interface Row {
  readonly name: string;
  readonly words: number;
  readonly earshot: number;
  readonly bare: number;
  readonly audio_ms: number;
  readonly engine_ms: number;
}

async function measure({ name, path, text }: KnownRecording): Promise<Row> {
  const ours = await transcribeWithEarshot(path);
  const earshot = wordErrorRate(text, ours.text);
  const bare = wordErrorRate(text, transcribeBare(path));
  const { audio_ms, engine_ms } = ours;
  return { name, words: earshot.words, earshot: earshot.errors, bare: bare.errors, audio_ms, engine_ms };
}

function print({ name, words, earshot, bare, audio_ms, engine_ms }: Row): void {
  const percent = (errors: number) => `${((100 * errors) / words).toFixed(2)} %`.padStart(8);
  const difference = ((100 * (earshot - bare)) / words).toFixed(2).padStart(6);
  const speed = `${(audio_ms / engine_ms).toFixed(1)} x realtime`;
  console.log(
    `${name.padEnd(14)}${`${words}`.padStart(6)}  ${percent(earshot)}  ${percent(bare)}  ${difference}  ${speed}`,
  );
}

const folder = await mkdtemp(join(tmpdir(), 'earshot-accuracy-'));
try {
  const known = await knownRecordings();
  const rows: Row[] = [];
  console.log('recording      words   Earshot  bare model  points  speed');
  for (const recording of [...known, await joinRecordings(known, 5, folder)]) {
    const row = await measure(recording);
    rows.push(row);
    print(row);
  }
  const sum = (key: 'words' | 'earshot' | 'bare' | 'audio_ms' | 'engine_ms') =>
    rows.reduce((total, row) => total + row[key], 0);
  const [words, earshot, bare] = [sum('words'), sum('earshot'), sum('bare')];
  print({ name: 'total', words, earshot, bare, audio_ms: sum('audio_ms'), engine_ms: sum('engine_ms') });
  console.log(`memory of this process: ${Math.round(process.memoryUsage.rss() / 1e6)} MB`);
  if (earshot / words > MOST_ERRORS || Math.abs(earshot - bare) / words > MOST_DIFFERENCE)
    process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
