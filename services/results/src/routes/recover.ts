import { ProblemSchema, RecoveredSchema } from '@earshot/contracts';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type RecoverDeps, recoverRecordings } from '../actions/recover.ts';
import { canAdmin } from './scopes.ts';

/** `POST /v1/recover`: after a loss of the broker's store or of the database. */
export function recoverRoute(deps: RecoverDeps): FastifyPluginAsyncTypebox {
  return async (server) => {
    server.route({
      method: 'POST',
      url: '/v1/recover',
      preHandler: canAdmin,
      schema: {
        operationId: 'recover',
        summary: 'Bring back recordings that have no transcript',
        tags: ['operations'],
        description:
          'Needs the scope `admin`. Brings the recordings of all tenants back to work that have a manifest in storage ' +
          'and no transcript. May be repeated.',
        response: { 200: RecoveredSchema, default: ProblemSchema },
      },
      handler: () => recoverRecordings(deps),
    });
  };
}
