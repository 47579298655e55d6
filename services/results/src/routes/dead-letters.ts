import {
  DeadLetterPageSchema,
  DeadLetterSchema,
  DeadLetterSelectionSchema,
  DeadLetterStateSchema,
  ProblemSchema,
} from '@earshot/contracts';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type, { type Static } from 'typebox';
import { readDeadLetter } from '../actions/dead-letters.ts';
import type { Database } from '../store/database.ts';
import { type DeadLetterRow, listDeadLetters } from '../store/sql/find-dead-letters.ts';
import { deadLetterCursor } from './cursor.ts';
import { toLetter, toLetterSummary } from './dead-letter-document.ts';
import { ownerOf, toSelection } from './letter-owner.ts';
import { canOperate } from './scopes.ts';

const { all: _, ...filters } = DeadLetterSelectionSchema.properties;

const QuerySchema = Type.Object({
  ...filters,
  state: Type.Array(Type.Union([DeadLetterStateSchema, Type.Literal('all')]), {
    default: ['open'],
    description: 'May be given several times.',
  }),
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
  cursor: Type.Optional(Type.String({ maxLength: 256, description: '`next_cursor` of the page before.' })),
});

const ALL_STATES = DeadLetterStateSchema.anyOf.map(({ const: state }) => state);

const statesOf = ({ state }: Static<typeof QuerySchema>): readonly string[] =>
  state.includes('all') ? ALL_STATES : state;

function toPage(rows: readonly DeadLetterRow[], { limit }: Static<typeof QuerySchema>) {
  const data = rows.slice(0, limit).map(toLetterSummary);
  const last = data.at(-1);
  return { data, next_cursor: rows.length > limit && last ? deadLetterCursor.write(last) : null };
}

/** `GET /v1/dead-letters` and `GET /v1/dead-letters/{id}`: what was given up on, newest first, and why. */
export function deadLetterRoutes({ database }: { database: Database }): FastifyPluginAsyncTypebox {
  return async (server) => {
    server.route({
      method: 'GET',
      url: '/v1/dead-letters',
      preHandler: canOperate,
      schema: {
        operationId: 'listDeadLetters',
        summary: 'List what was given up on',
        tags: ['dead letters'],
        description: 'Needs the scope `operate`; those that belong to no tenant are shown to `admin` only.',
        querystring: QuerySchema,
        response: { 200: DeadLetterPageSchema, default: ProblemSchema },
      },
      handler: async ({ principal, query }) => {
        const filter = { ...ownerOf(principal), ...toSelection(query), states: statesOf(query) };
        const after = query.cursor === undefined ? undefined : deadLetterCursor.read(query.cursor);
        // One more than asked for tells whether there is a next page.
        const page = { after, limit: query.limit + 1 };
        return toPage(await database.read((tx) => listDeadLetters(tx, filter, page)), query);
      },
    });
    server.route({
      method: 'GET',
      url: '/v1/dead-letters/:id',
      preHandler: canOperate,
      schema: {
        operationId: 'getDeadLetter',
        summary: 'Get a dead letter with its evidence',
        tags: ['dead letters'],
        params: Type.Object({ id: Type.String() }),
        response: { 200: DeadLetterSchema, default: ProblemSchema },
      },
      handler: async ({ principal, params }) =>
        toLetter(await readDeadLetter({ database }, ownerOf(principal), params.id)),
    });
  };
}
