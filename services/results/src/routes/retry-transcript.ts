import { ProblemSchema, TranscriptSummarySchema } from '@earshot/contracts';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import type { RoundDeps } from '../actions/prepare-round.ts';
import { retryTranscript } from '../actions/retry.ts';
import type { Replay } from '../store/sql/replays.ts';
import { readSummary, type SummaryDeps } from './read-summary.ts';
import { canWrite } from './scopes.ts';
import { traceOf } from './trace-of.ts';

export interface RetryDeps extends RoundDeps, Pick<SummaryDeps, 'waits'> {
  /** Gets the jobs of each committed transaction. */
  readonly onReplay: (replays: readonly Replay[]) => void;
}

/** `POST /v1/transcripts/{id}/retry`: only what is missing; repeating it while it is processed changes nothing. */
export function retryTranscriptRoute(deps: RetryDeps): FastifyPluginAsyncTypebox {
  return async (server) => {
    server.route({
      method: 'POST',
      url: '/v1/transcripts/:id/retry',
      preHandler: canWrite,
      schema: {
        operationId: 'retryTranscript',
        summary: 'Retry what a failed or partial transcript lacks',
        tags: ['transcripts'],
        description:
          'Needs the scope `write`. A failed or partial transcript is processed again, only its missing chunks. One ' +
          'that is completed or canceled answers 409, and so does one that would fail again for certain.',
        params: Type.Object({ id: Type.String() }),
        response: { 202: TranscriptSummarySchema, default: ProblemSchema },
      },
      handler: async (request, reply) => {
        const address = { tenant: request.principal.tenant, id: request.params.id };
        deps.onReplay(await retryTranscript(deps, address, traceOf(request)));
        return reply.code(202).send(await readSummary(deps, address));
      },
    });
  };
}
