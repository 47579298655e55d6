import { MessageSpans, noteOutcome } from '../../libs/messaging/src/trace/message-spans.ts';
import type { EngineResult } from '../../services/transcription/src/run-engine.ts';
import { inEngineSpan } from '../../services/transcription/src/trace/engine-span.ts';
import { inSpan } from '../../services/transcription/src/trace/in-span.ts';

const JOBS = 50_000;
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';

const nothing = async () => undefined;
const engine = { name: 'sherpa', model: 'tiny' } as Parameters<typeof inEngineSpan>[0];
const audio = { duration_ms: 3_000 } as Parameters<typeof inEngineSpan>[1];
const result: EngineResult = {
  ...{ segments: [], heard: [], engine_ms: 100 },
  steps: [
    { name: 'voice activity', at_ms: 0, ms: 20 },
    { name: 'recognition', at_ms: 20, ms: 80 },
  ],
};

/** CPU seconds of the spans of one recording of one chunk, by the API alone: no SDK is loaded in this process. */
export async function noopSecondsPerJob(): Promise<number> {
  const spans = new MessageSpans('client', () => '127.0.0.1:4222');
  const message = (subject: string) => ({ subject, bytes: 500, traceparent: TRACEPARENT, delivery: 1 });
  const publish = (subject: string) => spans.publish(message(subject), nothing);
  const settle = (subject: string) => spans.settle('ack', message(subject), nothing);
  const job = async () => {
    await publish('uploads.default');
    await spans.process(message('uploads.default'), async () => {
      await publish('transcripts.default.id.accepted');
      await publish('jobs.split.normal.default.id');
      await settle('uploads.default');
    });
    await spans.process(message('jobs.split.normal.default.id'), async (span) => {
      await inSpan('decode', {}, nothing);
      await publish('jobs.chunk.sherpa.normal.default.id.1.0');
      await publish('transcripts.default.id.split.1');
      noteOutcome(span, 'done', undefined);
      await settle('jobs.split.normal.default.id');
    });
    await spans.process(message('jobs.chunk.sherpa.normal.default.id.1.0'), async (span) => {
      await inSpan('decode', {}, nothing);
      await inEngineSpan(engine, audio, async () => result);
      await publish('transcripts.default.id.chunk.1.0');
      noteOutcome(span, 'done', undefined);
      await settle('jobs.chunk.sherpa.normal.default.id.1.0');
    });
    const facts = ['accepted', 'split.1', 'chunk.1.0', 'completed'].map((fact) =>
      message(`transcripts.default.id.${fact}`),
    );
    await spans.processBatch({ subject: 'TRANSCRIPTS' }, facts, nothing);
    await publish('transcripts.default.id.completed');
  };
  for (let count = 0; count < JOBS / 10; count += 1) await job();
  const before = process.cpuUsage();
  for (let count = 0; count < JOBS; count += 1) await job();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6 / JOBS;
}
