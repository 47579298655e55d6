import type {
  EngineCap,
  EngineChange,
  LaneChange,
  LaneState,
  Lanes as LanesDocument,
  PoolsRestarted,
  WorkerState,
  Workers as WorkersDocument,
} from '@earshot/contracts';
import { type HttpOptions, sendJson } from './http.ts';

export type Lanes = ReturnType<typeof lanesOf>;
export type Engines = ReturnType<typeof enginesOf>;
export type Workers = ReturnType<typeof workersOf>;

/** The queues and how much of each may be in work. */
export const lanesOf = (http: HttpOptions) => ({
  /** All lanes and engines, as they are now. */
  list: (): Promise<LanesDocument> => sendJson('/v1/lanes', http),

  /** Changes the lane of a durable consumer, e.g. `chunk-sherpa-low`, while it works. */
  change: (durable: string, json: LaneChange): Promise<LaneState> =>
    sendJson(`/v1/lanes/${encodeURIComponent(durable)}`, http, { method: 'PATCH', json }),
});

/** The engines as they are asked: their caps. */
export const enginesOf = (http: HttpOptions) => ({
  /** Sets how many jobs of an engine may be in flight, shared over its lanes. */
  change: (engine: string, json: EngineChange): Promise<EngineCap> =>
    sendJson(`/v1/engines/${encodeURIComponent(engine)}`, http, { method: 'PUT', json }),
});

/** The processes that transcribe. */
export function workersOf(http: HttpOptions) {
  const post = (path: string): Promise<PoolsRestarted> =>
    sendJson(`/v1/workers/${path}`, http, { method: 'POST' });
  return {
    /** Those that answer just now. */
    list: async (): Promise<WorkerState[]> => (await sendJson<WorkersDocument>('/v1/workers', http)).data,

    /** Renews the child processes of one worker, or of all, without a stop. */
    restartPool: (id?: string): Promise<PoolsRestarted> =>
      post(id === undefined ? 'restart-pool' : `${encodeURIComponent(id)}/restart-pool`),
  };
}
