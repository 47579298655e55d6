import { expect, it } from 'vitest';
import { configuredEngines } from './engine-directory.ts';

it('takes missing consumers of a configured engine for an outage, and of any other for an unknown name', async () => {
  const broker = { hasEngine: async (engine: string) => engine === 'there' };
  const engines = configuredEngines(broker, ['there', 'lost']);
  expect(await engines.hasEngine('there')).toBe(true);
  expect(await engines.hasEngine('stranger')).toBe(false);
  await expect(engines.hasEngine('lost')).rejects.toMatchObject({ code: 'unavailable' });
});
