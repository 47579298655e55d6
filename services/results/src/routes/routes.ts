import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { DeadLetterDeps } from '../actions/dead-letters.ts';
import type { RecoverDeps } from '../actions/recover.ts';
import { type CancelDeps, cancelTranscriptRoute } from './cancel-transcript.ts';
import { changeDeadLetters } from './change-dead-letters.ts';
import { deadLetterRoutes } from './dead-letters.ts';
import { type AudioDeps, getAudio } from './get-audio.ts';
import { getTranscript } from './get-transcript.ts';
import { listTranscriptsRoute } from './list-transcripts.ts';
import { recoverRoute } from './recover.ts';
import { type RetryDeps, retryTranscriptRoute } from './retry-transcript.ts';
import { usageRoute } from './usage.ts';
import { usageDifferences } from './usage-differences.ts';

/** Everything the routes of results need. */
export type ResultsRoutesDeps = CancelDeps & RetryDeps & DeadLetterDeps & RecoverDeps & AudioDeps;

/** The HTTP routes of results, for any server that sets `request.principal`. */
export function resultsRoutes(deps: ResultsRoutesDeps): FastifyPluginAsyncTypebox {
  return async (server) => {
    // The schemas document the answers; they are ours, so nothing is gained by checking each word of a transcript.
    server.setSerializerCompiler(() => (data) => JSON.stringify(data));
    await server.register(listTranscriptsRoute(deps));
    await server.register(getTranscript(deps));
    await server.register(getAudio(deps));
    await server.register(cancelTranscriptRoute(deps));
    await server.register(retryTranscriptRoute(deps));
    await server.register(deadLetterRoutes(deps));
    await server.register(changeDeadLetters(deps));
    await server.register(recoverRoute(deps));
    await server.register(usageRoute(deps));
    await server.register(usageDifferences(deps));
  };
}
