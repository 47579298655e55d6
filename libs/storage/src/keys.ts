/** Where the parts of one transcript are kept. Random parts make writers independent; create-only keys decide. */
export const storageKeys = (tenant: string, id: string) => {
  const root = `${tenant}/${id}`;
  return {
    /** Everything of the transcript but its manifest. */
    prefix: `${root}/`,
    manifest: `${tenant}/recordings/${id}.json`,
    bytes: (random: string) => `${root}/bytes/${random}`,
    chunk: (plan: number, n: number, random: string) => `${root}/chunks/${plan}-${n}-${random}`,
    cut: (plan: number, n: number) => `${root}/cuts/${plan}-${n}`,
    /** One try of a paid call: the create-only objects `intent`, `answer` and `done` lie below. */
    call: (plan: number, n: number, engine: string, tryNumber: number) =>
      `${root}/calls/${plan}-${n}-${engine}-${tryNumber}`,
    /** All tries of all its paid calls. */
    calls: `${root}/calls/`,
    peaks: (plan: number) => `${root}/peaks/${plan}`,
    /** Data of a fact that is too large for a message. */
    fact: (random: string) => `${root}/facts/${random}`,
  };
};

const CALL = /\/calls\/(\d{1,9})-(\d{1,9})-([a-z0-9-]{1,32})-(\d{1,9})\/(intent|answer|done)$/;

/** An object of a paid call. */
export interface CallObject {
  readonly plan: number;
  readonly n: number;
  readonly engine: string;
  readonly tryNumber: number;
  readonly name: 'intent' | 'answer' | 'done';
}

/** Which object of a paid call lies under a key; undefined for all other objects. */
export function callAt(key: string): CallObject | undefined {
  const [, plan, n, engine, tryNumber, name] = CALL.exec(key) ?? [];
  if (!engine) return undefined;
  const numbers = { plan: Number(plan), n: Number(n), tryNumber: Number(tryNumber) };
  return { ...numbers, engine, name: name as CallObject['name'] };
}

const MANIFEST = /^([a-z0-9-]{1,32})\/recordings\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.json$/;

/** Whose manifest lies under a key; undefined for all other objects. */
export function manifestAt(key: string): { tenant: string; id: string } | undefined {
  const [, tenant, id] = MANIFEST.exec(key) ?? [];
  return tenant && id ? { tenant, id } : undefined;
}
