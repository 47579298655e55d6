import { ProblemSchema, TranscriptIdSchema, UsageCheckSchema } from '@earshot/contracts';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { checkUsage, type UsageCheckDeps } from '../usage/check-usage.ts';
import { canOperate } from './scopes.ts';
import { toUsageFilter, usageQuery } from './usage.ts';

const QuerySchema = Type.Object({
  ...usageQuery,
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'Transcripts to look at.' }),
  cursor: Type.Optional(
    Type.Unsafe<string>({ ...TranscriptIdSchema, description: '`next_cursor` of the page before.' }),
  ),
});

const ROUTES = [
  {
    method: 'GET',
    record: false,
    operationId: 'checkUsage',
    summary: 'Compare usage with the ledger of paid calls',
  },
  {
    method: 'POST',
    record: true,
    operationId: 'recordUsage',
    summary: 'Compare, and take over what only the ledger knows',
  },
] as const;

/** `/v1/usage/differences`: transcripts that were made on these days and have ended, a page of them at a time. */
export function usageDifferences(deps: UsageCheckDeps): FastifyPluginAsyncTypebox {
  return async (server) => {
    for (const { method, record, operationId, summary } of ROUTES) {
      server.route({
        method,
        url: '/v1/usage/differences',
        preHandler: canOperate,
        schema: {
          ...{ operationId, summary, tags: ['usage'], querystring: QuerySchema },
          response: { 200: UsageCheckSchema, default: ProblemSchema },
        },
        handler: async ({ principal, query }) => {
          const { limit, cursor: after } = query;
          const filter = toUsageFilter(principal, query);
          const { ids, differences, recorded } = await checkUsage(deps, { ...filter, after, limit, record });
          const next_cursor = ids.length === limit ? (ids.at(-1) ?? null) : null;
          return { checked: ids.length, recorded, data: [...differences], next_cursor };
        },
      });
    }
  };
}
