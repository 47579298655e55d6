import type { Manifest, Recovered } from '@earshot/contracts';
import { CodedError, toCodedError } from '@earshot/domain';
import { readManifest, recoverRecording } from '@earshot/intake';
import type { FactReader, Publisher } from '@earshot/jobs';
import type { Logger } from '@earshot/service-kit';
import { manifestAt, type ObjectStorage } from '@earshot/storage';
import pMap from 'p-map';
import type { Database } from '../store/database.ts';
import { withoutTranscript } from '../store/sql/recordings.ts';

export interface RecoverDeps {
  readonly database: Database;
  readonly storage: ObjectStorage;
  readonly facts: FactReader;
  readonly publisher: Publisher;
  readonly log: Logger;
}

type Place = NonNullable<ReturnType<typeof manifestAt>>;

const PAGE = 200;
const IN_FLIGHT = { concurrency: 32 };

/** Where manifests lie, in pages. Tenants are written down nowhere but in keys, so all names are read. */
async function* manifestPages(storage: ObjectStorage): AsyncGenerator<Place[]> {
  let page: Place[] = [];
  for await (const { key } of storage.list('')) {
    const place = manifestAt(key);
    if (!place) continue;
    page.push(place);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** Undefined for a tombstone, and for what is no manifest: that must not keep all others from being recovered. */
async function readable({ storage, log }: RecoverDeps, { tenant, id }: Place): Promise<Manifest | undefined> {
  try {
    const manifest = await readManifest(storage, tenant, id);
    return manifest?.kind === 'recording' ? manifest : undefined;
  } catch (error) {
    const { code, class: kind } = toCodedError(error);
    if (kind === 'transient') throw error;
    log.error({ tenant_id: tenant, transcript_id: id, code }, 'a manifest cannot be read');
    return undefined;
  }
}

async function recoverOne(deps: RecoverDeps, place: Place): Promise<boolean> {
  const manifest = await readable(deps, place);
  if (manifest?.tenant_id !== place.tenant || manifest.transcript_id !== place.id) return false;
  return (await recoverRecording(manifest, deps)) === 'queued';
}

/**
 * Brings every recording back to work that has a manifest and no transcript: its fact `accepted` and its split job are
 * published as at its acceptance. May be repeated, also after it failed half-way, and run beside everything else. Asks
 * `goOn` before each page and throws `unavailable` when it is to go no further.
 */
export async function recoverRecordings(
  deps: RecoverDeps,
  goOn: () => Promise<boolean> = async () => true,
): Promise<Recovered> {
  const total = { manifests: 0, recovered: 0 };
  for await (const page of manifestPages(deps.storage)) {
    if (!(await goOn())) throw new CodedError('unavailable', 'another replica goes on');
    const missing = new Set(
      await deps.database.read((tx) =>
        withoutTranscript(
          tx,
          page.map(({ id }) => id),
        ),
      ),
    );
    const lost = page.filter(({ id }) => missing.has(id));
    const recovered = await pMap(lost, (place) => recoverOne(deps, place), IN_FLIGHT);
    total.manifests += page.length;
    total.recovered += recovered.filter(Boolean).length;
  }
  deps.log.info(total, 'looked for recordings without a transcript');
  return total;
}
