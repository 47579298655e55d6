import { type Segment, toUtterances, type Utterance } from '@earshot/domain';
import type { FoundTranscript } from './read-transcript.ts';

/** An object without its closing brace, so that one more member can follow. */
const open = (value: object) => JSON.stringify(value).slice(0, -1);

async function* segmentLines(segments: AsyncIterable<Segment>) {
  let comma = '';
  for await (const segment of segments) {
    yield `${comma}\n${JSON.stringify(segment)}`;
    comma = ',';
  }
}

/** The words of the next `count` segments, as the inside of an array. */
async function* wordsOf(segments: AsyncIterator<Segment, void>, count: number) {
  let comma = '';
  for (let taken = 0; taken < count; taken += 1) {
    const words = (await segments.next()).value?.words ?? [];
    if (words.length === 0) continue;
    yield comma + JSON.stringify(words).slice(1, -1);
    comma = ',';
  }
}

async function* utteranceLines(utterances: readonly Utterance[], segments: AsyncIterator<Segment, void>) {
  let comma = '';
  for (const { segments: count, ...utterance } of utterances) {
    yield `${comma}\n${open(utterance)},"words":[`;
    yield* wordsOf(segments, count);
    yield ']}';
    comma = ',';
  }
}

/** The document of a transcript piece by piece: a segment or an utterance a line, and never more words than of a page. */
export async function* transcriptJson({ head, spoken, segments }: FoundTranscript): AsyncGenerator<string> {
  yield `${open(head)},\n"segments":[`;
  yield* segmentLines(segments.all());
  yield '\n],\n"utterances":[';
  yield* utteranceLines(toUtterances(spoken), segments.all());
  yield '\n]}\n';
}
