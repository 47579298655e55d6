/** JSON with sorted keys and no `undefined`: equal values give equal text, however they were built. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part) ? sorted(part) : part,
  );
}

function sorted(object: object): object {
  // A null prototype keeps a key named __proto__ a key.
  const copy = Object.create(null) as Record<string, unknown>;
  for (const [key, value] of Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1))) copy[key] = value;
  return copy;
}
