import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/schema';
import { LaneSchema, NameSchema, TranscriptIdSchema } from '../names.ts';

/** Names a worker process in subjects: host and process, unlike any other that ever ran. */
export const WorkerIdSchema = Type.String({ pattern: '^[a-zA-Z0-9-]{1,64}$' });

/** Whether an engine is being asked: `open` while it is down, `half_open` while one job tries whether it is back. */
export const CircuitSchema = Type.Union([
  Type.Literal('closed'),
  Type.Literal('open'),
  Type.Literal('half_open'),
]);
export type Circuit = Static<typeof CircuitSchema>;

/** An engine in a worker. */
const WorkerEngineSchema = Type.Object({
  name: NameSchema,
  model: Type.String(),
  /** Chunks it can have in work at once. */
  slots: Type.Integer({ minimum: 0 }),
  active: Type.Integer({ minimum: 0 }),
  circuit: CircuitSchema,
  /** Set after a quota error: when the engine may be asked again, RFC 3339. */
  quota_until: Type.Union([Type.String(), Type.Null()]),
});

/** A job in work. */
const ActiveJobSchema = Type.Object({
  stage: Type.Union([Type.Literal('split'), Type.Literal('chunk')]),
  tenant_id: NameSchema,
  transcript_id: TranscriptIdSchema,
  engine: NameSchema,
  lane: LaneSchema,
  plan: Type.Integer({ minimum: 1 }),
  n: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  attempt: Type.Integer({ minimum: 1 }),
  started_at: Type.String(),
});

/** What a worker tells about itself, in answer to a ping and in the bucket `workers`. */
export const WorkerStateSchema = Type.Object({
  id: WorkerIdSchema,
  host: Type.String(),
  pid: Type.Integer(),
  version: Type.String(),
  since: Type.String(),
  /** Resident memory of the process and its children. */
  memory_bytes: Type.Integer({ minimum: 0 }),
  /** Shares in use, 0 to 1, of its container or machine; not told by older workers. */
  cpu_ratio: Type.Optional(Type.Number()),
  memory_ratio: Type.Optional(Type.Number()),
  draining: Type.Boolean(),
  engines: Type.Array(WorkerEngineSchema),
  active_jobs: Type.Array(ActiveJobSchema),
});
export type WorkerState = Static<typeof WorkerStateSchema>;

const state = Compile(WorkerStateSchema);

/** The state in an answer or entry; undefined when it is not one, as from a worker of another version. */
export function parseWorkerState(json: string): WorkerState | undefined {
  try {
    const document: unknown = JSON.parse(json);
    return state.Check(document) ? document : undefined;
  } catch {
    return undefined;
  }
}
