import { ProblemSchema, TranscriptSummarySchema } from '@earshot/contracts';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { cancelTranscript } from '../actions/cancel.ts';
import type { OutboxRow } from '../store/sql/outbox.ts';
import { readSummary } from './read-summary.ts';
import type { TranscriptReaderDeps } from './read-transcript.ts';
import { canWrite } from './scopes.ts';
import { traceOf } from './trace-of.ts';

export interface CancelDeps extends TranscriptReaderDeps {
  /** Gets the final facts of each committed transaction. */
  readonly onFinal: (rows: readonly OutboxRow[]) => void;
}

/** `POST /v1/transcripts/{id}/cancel`: for good; repeating it changes nothing. */
export function cancelTranscriptRoute(deps: CancelDeps): FastifyPluginAsyncTypebox {
  return async (server) => {
    server.route({
      method: 'POST',
      url: '/v1/transcripts/:id/cancel',
      preHandler: canWrite,
      schema: {
        operationId: 'cancelTranscript',
        summary: 'Cancel a transcript',
        tags: ['transcripts'],
        description:
          'Needs the scope `write`. Running work stops within a heartbeat, and nothing leads back. A transcript that ' +
          'is final otherwise answers 409, a deleted one 410.',
        params: Type.Object({ id: Type.String() }),
        response: { 200: TranscriptSummarySchema, default: ProblemSchema },
      },
      handler: async (request) => {
        const address = { tenant: request.principal.tenant, id: request.params.id };
        deps.onFinal(await cancelTranscript(deps, address, traceOf(request)));
        return readSummary(deps, address);
      },
    });
  };
}
