import {
  NameSchema,
  ProblemSchema,
  type UsageGroup,
  UsageGroupSchema,
  UsagePageSchema,
  type UsageSum,
} from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { Principal } from '@earshot/service-kit';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import type { Database } from '../store/database.ts';
import { sumUsage, totalUsage, type UsageFilter } from '../store/sql/usage.ts';
import { canRead } from './scopes.ts';
import { usageCursor } from './usage-cursor.ts';

const day = (description: string) =>
  Type.Optional(Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description }));

/** Which days of whose usage; shared by all routes about it. */
export const usageQuery = {
  from: day('First UTC day; default: the first one of the month of `to`.'),
  to: day('Last UTC day, inclusive; default: today.'),
  tenant: Type.Optional(NameSchema),
};

const QuerySchema = Type.Object({
  ...usageQuery,
  group_by: Type.Unsafe<UsageGroup>({ ...UsageGroupSchema, default: 'day' }),
  limit: Type.Integer({ minimum: 1, maximum: 1000, default: 200 }),
  cursor: Type.Optional(Type.String({ maxLength: 1024, description: '`next_cursor` of the page before.' })),
});

const LONGEST_DAYS = 366;

/** `GET /v1/usage`: what paid engines charged a tenant for; a key with `admin` sees all tenants, or the one it names. */
export function usageRoute({ database }: { readonly database: Database }): FastifyPluginAsyncTypebox {
  return async (server) => {
    server.route({
      method: 'GET',
      url: '/v1/usage',
      preHandler: canRead,
      schema: {
        operationId: 'getUsage',
        summary: 'See what paid engines charged for',
        tags: ['usage'],
        querystring: QuerySchema,
        response: { 200: UsagePageSchema, default: ProblemSchema },
      },
      handler: async (request) => {
        const { group_by, limit, cursor } = request.query;
        const filter = toUsageFilter(request.principal, request.query);
        const after = cursor === undefined ? undefined : usageCursor.read(cursor);
        // One more than asked for tells whether there is a next page.
        const wanted = { ...filter, group: group_by, after, limit: limit + 1 };
        const { total, rows } = await database.read(async (tx) => ({
          total: await totalUsage(tx, filter),
          rows: await sumUsage(tx, wanted),
        }));
        const { from, to } = filter;
        return { group_by, from, to, total, ...pageOf(rows, limit) };
      },
    });
  };
}

function pageOf(rows: readonly UsageSum[], limit: number) {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  return { data, next_cursor: rows.length > limit && last ? usageCursor.write(last) : null };
}

/** Throws `forbidden` for another tenant's usage, `invalid_request` for days that are none or too many. */
export function toUsageFilter(
  { tenant, scopes }: Principal,
  query: { readonly from?: string; readonly to?: string; readonly tenant?: string },
): UsageFilter {
  const admin = scopes.includes('admin');
  if (!admin && query.tenant !== undefined && query.tenant !== tenant) {
    throw new CodedError('forbidden', 'the usage of other tenants is for keys with the scope admin');
  }
  const to = checkDay('to', query.to ?? new Date().toISOString().slice(0, 10));
  const from = checkDay('from', query.from ?? `${to.slice(0, 7)}-01`);
  const days = (Date.parse(to) - Date.parse(from)) / 86_400_000 + 1;
  if (days >= 1 && days <= LONGEST_DAYS) return { tenant: admin ? query.tenant : tenant, from, to };
  throw invalid(`/from and /to are 1 to ${LONGEST_DAYS} days, not ${days}`);
}

/** JavaScript takes the 30th of February for a day of March. */
function checkDay(name: string, value: string): string {
  const time = Date.parse(`${value}T00:00:00Z`);
  if (!Number.isNaN(time) && new Date(time).toISOString().startsWith(value)) return value;
  throw invalid(`/${name} is not a day of the calendar`);
}

const invalid = (problem: string) =>
  new CodedError('invalid_request', 'the days are not valid', { errors: [problem] });
