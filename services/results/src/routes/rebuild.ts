import { ProblemSchema, RebuiltSchema } from '@earshot/contracts';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type RebuildDeps, rebuildTables } from '../rebuild/rebuild-tables.ts';
import { canAdmin } from './scopes.ts';

/** `POST /v1/rebuild`: re-creates the tables from the facts that the stream still holds; answers when all are read. */
export function rebuildRoute(deps: RebuildDeps): FastifyPluginAsyncTypebox {
  return async (server) => {
    server.route({
      method: 'POST',
      url: '/v1/rebuild',
      preHandler: canAdmin,
      schema: {
        operationId: 'rebuildTables',
        summary: 'Re-create the tables from the facts on the broker',
        tags: ['operations'],
        response: { 200: RebuiltSchema, default: ProblemSchema },
      },
      handler: async () => ({ facts: await rebuildTables(deps) }),
    });
  };
}
