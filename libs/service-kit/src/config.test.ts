import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from '@earshot/testkit';
import Type from 'typebox';
import { expect, it } from 'vitest';
import { ConfigError, loadConfig, loadTogether } from './config.ts';

const schema = Type.Object({
  PORT: Type.Integer({ default: 8080, minimum: 0, maximum: 65_535, description: 'the port' }),
  LEVEL: Type.String({ default: 'info', pattern: '^(info|warn)$', lowercase: true }),
  SECRET: Type.Optional(Type.String()),
  ADDRESS: Type.String({ description: 'where it is' }),
});
const rules = { prefix: 'APP_', known: ['APP_NAME'], hints: { OLD_NAME: 'set ADDRESS' } };

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(schema, env, rules);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

it('converts values, fills in defaults and freezes the result', () => {
  const config = loadConfig(schema, { PORT: '81', ADDRESS: 'here', LEVEL: 'WARN' }, rules);
  expect(config).toEqual({ PORT: 81, ADDRESS: 'here', LEVEL: 'warn' });
  expect(Object.isFrozen(config)).toBe(true);
});

it('reports every problem at once', () => {
  const problems = problemsOf({ PORT: 'eighty', LEVEL: 'loud', APP_NMAE: 'x', OLD_NAME: 'redis://' });
  expect(problems).toEqual([
    'APP_NMAE is not a setting of this version',
    'OLD_NAME is not used here: set ADDRESS',
    'ADDRESS is required: where it is',
    'PORT must be integer: the port',
    'LEVEL is not of the right form',
  ]);
});

it('never shows a value, which may be a secret', () => {
  expect(problemsOf({ ADDRESS: 'x', LEVEL: 'hunter2' }).join()).not.toContain('hunter2');
});

it('treats an empty value as not set', () => {
  expect(loadConfig(schema, { PORT: ' ', ADDRESS: 'here' }, rules).PORT).toBe(8080);
});

it('reads a setting from the file that X_FILE names, and refuses both at once', async () => {
  const folder = await tempFolder();
  const file = join(folder.path, 'secret');
  await writeFile(file, 's3cret\n');
  expect(loadConfig(schema, { ADDRESS: 'here', SECRET_FILE: file }, rules).SECRET).toBe('s3cret');
  expect(problemsOf({ ADDRESS: 'here', SECRET: 'a', SECRET_FILE: file })).toEqual([
    'SECRET and SECRET_FILE are both set: keep one',
  ]);
  expect(problemsOf({ ADDRESS: 'here', SECRET_FILE: join(folder.path, 'none') })).toEqual([
    'SECRET_FILE cannot be read: ENOENT',
  ]);
  await folder.remove();
});

it('adds what settings that belong together get wrong', () => {
  const check = ({ PORT }: { PORT?: unknown }) => [`the port is ${PORT}`];
  expect(() => loadConfig(schema, { LEVEL: 'loud' }, rules, check)).toThrow(
    /ADDRESS[\s\S]*LEVEL[\s\S]*the port is 8080/,
  );
});

it('reads several configurations together, and names the problem they share once', () => {
  const load = (env: Record<string, string>) => () => loadConfig(schema, env, rules);
  const here = { ADDRESS: 'here' };
  expect(loadTogether(load({ ...here, PORT: '81' }), load(here)).PORT).toBe(81);
  expect(() => loadTogether(load({ PORT: 'x' }), load({ PORT: 'x', LEVEL: 'loud' }))).toThrow(/ 3 problem/);
});
