import {
  EngineCapSchema,
  EngineChangeSchema,
  LaneChangeSchema,
  LaneStateSchema,
  LanesSchema,
  ProblemSchema,
} from '@earshot/contracts';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import type { Levers } from '../levers/levers.ts';
import { canOperate } from './scopes.ts';

/** `/v1/lanes` and `/v1/engines`: the queues, and how much of each may be in work. */
export function laneRoutes({ levers }: { levers: Levers }): FastifyPluginAsyncTypebox {
  return async (server) => {
    server.route({
      method: 'GET',
      url: '/v1/lanes',
      preHandler: canOperate,
      schema: {
        operationId: 'listLanes',
        summary: 'List the lanes and how much may run in each',
        tags: ['operations'],
        response: { 200: LanesSchema, default: ProblemSchema },
      },
      handler: () => levers.list(),
    });
    server.route({
      method: 'PATCH',
      url: '/v1/lanes/:durable',
      preHandler: canOperate,
      schema: {
        operationId: 'changeLane',
        summary: 'Pause, resume or cap a lane',
        tags: ['operations'],
        params: Type.Object({ durable: Type.String() }),
        body: LaneChangeSchema,
        response: { 200: LaneStateSchema, default: ProblemSchema },
      },
      handler: (request) => levers.changeLane(request.params.durable, request.body),
    });
    server.route({
      method: 'PUT',
      url: '/v1/engines/:engine',
      preHandler: canOperate,
      schema: {
        operationId: 'changeEngine',
        summary: 'Change how much of an engine may run at once',
        tags: ['operations'],
        params: Type.Object({ engine: Type.String() }),
        body: EngineChangeSchema,
        response: { 200: EngineCapSchema, default: ProblemSchema },
      },
      handler: (request) => levers.changeEngine(request.params.engine, request.body.max_ack_pending),
    });
  };
}
