import { readFile } from 'node:fs/promises';
import { samples } from '../../libs/audio/test/parts.ts';

/** A recording and the exact words spoken in it. */
export interface KnownRecording {
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

/** Recordings whose words are known from the printed text; others would measure our ears, not the engine. */
export async function knownRecordings(): Promise<KnownRecording[]> {
  const known = [
    { name: 'two_cities', path: samples.two_cities },
    { name: 'beckett', path: samples.beckett },
  ];
  return Promise.all(
    known.map(async (one) => ({
      ...one,
      text: await readFile(new URL(`./texts/${one.name}.txt`, import.meta.url), 'utf8'),
    })),
  );
}
