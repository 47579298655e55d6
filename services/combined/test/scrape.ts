/** The series of a scrape by name and labels, e.g. `earshot_jobs_total{outcome="done"}`; labels in the order of the scrape. */
export type Series = ReadonlyMap<string, number>;

/** Scrapes `/metrics` of a service. */
export async function scrape(url: string): Promise<Series> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

/** Sum of the series of a metric whose labels contain all of `labels`. */
export function total(series: Series, name: string, ...labels: string[]): number {
  const own = [...series].filter(
    ([key]) => key.replace(/\{.*/, '') === name && labels.every((label) => key.includes(label)),
  );
  if (own.length === 0) throw new Error(`there is no ${name} with ${labels.join(', ')}`);
  return own.reduce((sum, [, value]) => sum + value, 0);
}
