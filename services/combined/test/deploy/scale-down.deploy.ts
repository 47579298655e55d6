import { join } from 'node:path';
import { afterEach, expect, inject, it } from 'vitest';
import { type Manifest, render } from '../../../../tools/deploy/render-kubernetes.ts';
import { buildServices } from '../faults/build-services.ts';
import { FaultWorld } from '../faults/fault-world.ts';
import { workloadsOf } from './read-kubernetes.ts';

const repository = join(import.meta.dirname, '../../../..');
const { kustomize } = inject('goTools');
/** Longer than a stopping worker waits for a chunk to end by itself. */
const CHUNK_MS = 8_000;
/** Where and what a platform's services are told; the engine is one that is as slow as it is asked to be. */
const OF_THE_PLACE = /^(NATS_|DATABASE_URL|HOST|PORT|EARSHOT_(STORAGE_URL|API_KEYS_FILE|ENGINES))/;

let world: FaultWorld | undefined;
afterEach(() => world?.close());

/** How the pods of workers stop: their settings, and the seconds they are given before they are killed. */
function stopOf(documents: readonly Manifest[]) {
  const workload = workloadsOf(documents).find(({ name }) => name === 'transcription');
  const pod = documents.find(
    ({ metadata, kind }) => kind === 'Deployment' && /transcription/.test(metadata.name),
  );
  const settings = Object.entries(workload?.env ?? {}).filter(([name]) => !OF_THE_PLACE.test(name));
  const env = Object.fromEntries(settings);
  return { env, graceSeconds: Number(pod?.spec.template.spec.terminationGracePeriodSeconds) };
}

it.each(['large', 'spot'])(
  'a pod of the overlay %s that is taken away in mid-chunk ends within its grace, all its work elsewhere within 5 s',
  async (overlay) => {
    const { env, graceSeconds } = stopOf(await render(kustomize, `overlays/${overlay}`));
    const atATime = Number(env.WORKER_CONCURRENCY);
    await buildServices(repository);
    world = await FaultWorld.start({ workers: 2, ackWaitSeconds: 15, env });
    const here = world;
    await here.cloud.behave({ answer_ms: CHUNK_MS });
    const ids = await Promise.all(Array.from({ length: atATime }, () => here.submit()));
    const runs = await Promise.all(ids.map((id) => here.run(id, (run) => run.transcript_id === id)));
    const stopped = runs[0]?.worker;
    const held = runs.filter(({ worker }) => worker === stopped).map(({ transcript_id }) => transcript_id);

    const signaledAt = Date.now();
    stopped?.signal('SIGTERM');
    const moved = await Promise.all(
      held.map((id) =>
        here.run(`${id} to run elsewhere`, (run) => run.transcript_id === id && run.worker !== stopped),
      ),
    );
    expect(Math.max(...moved.map(({ startedAt }) => startedAt - signaledAt))).toBeLessThanOrEqual(5_000);
    expect(await stopped?.ended).toEqual({ code: 0, signal: null });
    expect(Date.now() - signaledAt).toBeLessThan(graceSeconds * 1000);

    for (const id of ids) expect((await here.finished(id)).status).toBe('completed');
    const attempts = here
      .chunkRuns(({ transcript_id }) => ids.includes(transcript_id))
      .map(({ attempt }) => attempt);
    expect(new Set(attempts)).toEqual(new Set([1]));
  },
);
