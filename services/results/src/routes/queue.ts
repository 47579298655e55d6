import { ProblemSchema, QueueSchema } from '@earshot/contracts';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { clearanceOf, decideScaling, type ScalingThresholds } from '../scaling/decide-scaling.ts';
import { type QueueFiguresDeps, readQueueFigures } from '../scaling/read-queue-figures.ts';
import { steadyAdvice } from '../scaling/steady-advice.ts';
import type { Database } from '../store/database.ts';
import { keepAdvice, lockAdvice } from '../store/sql/scaling.ts';
import { canOperate } from './scopes.ts';

export interface QueueRouteDeps extends QueueFiguresDeps {
  readonly database: Database;
  readonly thresholds: ScalingThresholds;
  /** How long an advice stands before it may change. */
  readonly steadyMs: number;
}

/** `/v1/queue`: what waits, and how many workers it needs. Asking does not hurry the advice: it is kept for all replicas. */
export function queueRoute(deps: QueueRouteDeps): FastifyPluginAsyncTypebox {
  return async (server) => {
    server.route({
      method: 'GET',
      url: '/v1/queue',
      preHandler: canOperate,
      schema: {
        operationId: 'getQueue',
        summary: 'See what waits and how many workers it needs',
        tags: ['operations'],
        response: { 200: QueueSchema, default: ProblemSchema },
      },
      handler: async () => {
        const figures = await readQueueFigures(deps);
        const decision = decideScaling(figures, deps.thresholds);
        const advice = await deps.database.write(async (tx) => {
          const steady = steadyAdvice(await lockAdvice(tx), decision, Date.now(), deps.steadyMs);
          await keepAdvice(tx, steady.standing);
          return steady.advice;
        });
        return { ...figures, clearance: clearanceOf(figures, deps.thresholds), advice };
      },
    });
  };
}
