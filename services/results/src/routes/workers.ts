import {
  PoolsRestartedSchema,
  ProblemSchema,
  WorkerIdSchema,
  type WorkerState,
  WorkersSchema,
} from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { type Broker, pingWorkers, restartPools } from '@earshot/messaging';
import type { Principal } from '@earshot/service-kit';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { canOperate } from './scopes.ts';

/** Workers answer a ping at once; one that does not is stopped, cut off or very busy. */
const PING_MS = 2_000;
/** An operator sees what all workers are, but of the work only the tenant's own. */
const seenBy =
  ({ tenant, scopes }: Principal) =>
  (state: WorkerState): WorkerState => ({
    ...state,
    active_jobs: state.active_jobs.filter((job) => job.tenant_id === tenant || scopes.includes('admin')),
  });

/** Children are renewed between two chunks, and load their model first. */
const RESTART_MS = 60_000;

/** `/v1/workers`: who is there, asked just now, and their child processes renewed without a stop. */
export function workerRoutes({ broker }: { broker: Broker }): FastifyPluginAsyncTypebox {
  const known = async () => (await pingWorkers(broker, PING_MS)).map(({ id }) => id);
  const restart = async (ids: readonly string[]) => ({
    workers: await restartPools(broker, ids, RESTART_MS),
  });
  return async (server) => {
    server.route({
      method: 'GET',
      url: '/v1/workers',
      preHandler: canOperate,
      schema: {
        operationId: 'listWorkers',
        summary: 'List the workers that answer now',
        tags: ['operations'],
        response: { 200: WorkersSchema, default: ProblemSchema },
      },
      handler: async ({ principal }) => ({
        data: (await pingWorkers(broker, PING_MS)).map(seenBy(principal)),
      }),
    });
    server.route({
      method: 'POST',
      url: '/v1/workers/restart-pool',
      preHandler: canOperate,
      schema: {
        operationId: 'restartPools',
        summary: 'Restart the engine processes of all workers',
        tags: ['operations'],
        response: { 200: PoolsRestartedSchema, default: ProblemSchema },
      },
      handler: async () => restart(await known()),
    });
    server.route({
      method: 'POST',
      url: '/v1/workers/:id/restart-pool',
      preHandler: canOperate,
      schema: {
        operationId: 'restartPool',
        summary: 'Restart the engine processes of one worker',
        tags: ['operations'],
        params: Type.Object({ id: WorkerIdSchema }),
        response: { 200: PoolsRestartedSchema, default: ProblemSchema },
      },
      handler: async ({ params: { id } }) => {
        if (!(await known()).includes(id)) throw new CodedError('not_found', `there is no worker ${id}`);
        return restart([id]);
      },
    });
  };
}
