import {
  LaneSchema,
  NameSchema,
  ProblemSchema,
  TranscriptPageSchema,
  TranscriptStatusSchema,
} from '@earshot/contracts';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type, { type Static } from 'typebox';
import { listTranscripts, type TranscriptRow } from '../store/sql/find-transcripts.ts';
import type { Waits } from '../waits/engine-waits.ts';
import { checkTime } from './check-time.ts';
import { transcriptCursor } from './cursor.ts';
import type { SummaryDeps } from './read-summary.ts';
import { canRead } from './scopes.ts';
import { toSummary } from './transcript-document.ts';

/** PostgreSQL takes no NUL in a text. */
const text = (maxLength: number, description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength, pattern: '^[^\\u0000]*$', description }));
const time = (description: string) => Type.Optional(Type.String({ format: 'date-time', description }));

const QuerySchema = Type.Object({
  status: Type.Optional(Type.Array(TranscriptStatusSchema, { description: 'May be given several times.' })),
  session_id: text(256, 'Exactly this session.'),
  engine: Type.Optional(NameSchema),
  priority: Type.Optional(LaneSchema),
  created_after: time('Only transcripts created later.'),
  created_before: time('Only transcripts created earlier.'),
  q: text(500, 'Words in the text; "quotes", or and -minus work as in a web search.'),
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
  cursor: Type.Optional(Type.String({ maxLength: 256, description: '`next_cursor` of the page before.' })),
});

function toFilter(tenant: string, waits: Waits, query: Static<typeof QuerySchema>) {
  return {
    tenant,
    waits,
    statuses: query.status?.length ? query.status : undefined,
    session_id: query.session_id,
    engine: query.engine,
    lane: query.priority,
    created_after: checkTime('created_after', query.created_after),
    created_before: checkTime('created_before', query.created_before),
    q: query.q,
    after: query.cursor === undefined ? undefined : transcriptCursor.read(query.cursor),
    // One more than asked for tells whether there is a next page.
    limit: query.limit + 1,
  };
}

function toPage(rows: readonly TranscriptRow[], limit: number) {
  const data = rows.slice(0, limit).map(toSummary);
  const last = data.at(-1);
  return { data, next_cursor: rows.length > limit && last ? transcriptCursor.write(last) : null };
}

/** `GET /v1/transcripts`: a tenant's transcripts, newest first. */
export function listTranscriptsRoute({ database, waits }: SummaryDeps): FastifyPluginAsyncTypebox {
  return async (server) => {
    server.route({
      method: 'GET',
      url: '/v1/transcripts',
      preHandler: canRead,
      schema: {
        operationId: 'listTranscripts',
        summary: 'List transcripts, newest first',
        tags: ['transcripts'],
        querystring: QuerySchema,
        response: { 200: TranscriptPageSchema, default: ProblemSchema },
      },
      handler: async (request) => {
        const { tenant } = request.principal;
        const filter = toFilter(tenant, await waits(tenant), request.query);
        const rows = await database.read((tx) => listTranscripts(tx, filter));
        return toPage(rows, request.query.limit);
      },
    });
  };
}
