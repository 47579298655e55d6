/** Fields of `wanted` that `actual` has with other values, in words. A field the broker leaves out counts as its zero. */
export function differences(
  what: string,
  wanted: Readonly<Record<string, unknown>>,
  actual: Readonly<Record<string, unknown>>,
): string[] {
  return Object.entries(wanted)
    .filter(([name, value]) => comparable(actual[name]) !== comparable(value))
    .map(([name, value]) => `${what}: ${name} is ${show(actual[name])}, expected ${show(value)}`);
}

const comparable = (value: unknown) => {
  if (value === undefined || value === false || value === 0) return '';
  return JSON.stringify(Array.isArray(value) ? [...value].sort() : value);
};
const show = (value: unknown) => (value === undefined ? 'not set' : JSON.stringify(value));
