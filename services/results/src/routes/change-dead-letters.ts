import { DeadLetterSelectionSchema, DeadLettersChangedSchema, ProblemSchema } from '@earshot/contracts';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import {
  type DeadLetterDeps,
  dealWithMany,
  dealWithOne,
  discarding,
  replaying,
} from '../actions/dead-letters.ts';
import { ownerOf, toSelection } from './letter-owner.ts';
import { canOperate } from './scopes.ts';
import { traceOf } from './trace-of.ts';

const ACTIONS = [
  {
    name: 'replay',
    Name: 'Replay',
    description:
      'Sends what was given up on round again. What was dealt with before is left alone, not counted. ' +
      'Of many, those that cannot be sent are counted as refused; by itself each is answered with the reason.',
    deal: (deps: DeadLetterDeps, request: FastifyRequest) => replaying(deps, traceOf(request)),
  },
  {
    name: 'discard',
    Name: 'Discard',
    description: 'Takes note that nobody wants what was given up on; its gap stays.',
    deal: (deps: DeadLetterDeps) => discarding(deps),
  },
];

const response = { 200: DeadLettersChangedSchema, default: ProblemSchema };
const tags = ['dead letters'];

/** `POST /v1/dead-letters/{id}/replay` and `/discard`, and both for a selection of open ones. */
export function changeDeadLetters(deps: DeadLetterDeps): FastifyPluginAsyncTypebox {
  return async (server) => {
    for (const { name, Name, description, deal } of ACTIONS) {
      server.route({
        method: 'POST',
        url: `/v1/dead-letters/:id/${name}`,
        preHandler: canOperate,
        schema: {
          operationId: `${name}DeadLetter`,
          summary: `${Name} a dead letter`,
          ...{ tags, description, response },
          params: Type.Object({ id: Type.String() }),
        },
        handler: async (request) => {
          const owner = ownerOf(request.principal);
          const changed = await dealWithOne(deps, owner, request.params.id, deal(deps, request));
          return { changed, refused: 0 };
        },
      });
      server.route({
        method: 'POST',
        url: `/v1/dead-letters/${name}`,
        preHandler: canOperate,
        schema: {
          operationId: `${name}DeadLetters`,
          summary: `${Name} all open dead letters that match`,
          ...{ tags, description, response },
          body: DeadLetterSelectionSchema,
        },
        handler: async (request) => {
          const filter = { ...ownerOf(request.principal), ...toSelection(request.body) };
          return dealWithMany(deps, filter, deal(deps, request));
        },
      });
    }
  };
}
