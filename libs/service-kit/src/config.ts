import { readFileSync } from 'node:fs';
import type { Static, TObject } from 'typebox';
import { Compile } from 'typebox/schema';

/** Thrown by {@link loadConfig} with every problem found, one line each; no values of secrets in it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `the configuration has ${problems.length} problem(s):\n${problems.map((line) => `  - ${line}`).join('\n')}`,
    );
    this.problems = problems;
  }
}

/** What {@link loadConfig} needs to know beside the schema. */
export interface ConfigRules {
  /** Names with this prefix that are not in `known` are refused. */
  readonly prefix: string;
  readonly known: readonly string[];
  /** Names that mean a mistake wherever they are set, with what to do instead. */
  readonly hints?: Readonly<Record<string, string>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What a schema cannot say: one line for each problem of settings that belong together. Called with all that was read. */
export type ConfigCheck = (config: Readonly<Record<string, unknown>>) => readonly string[];

function readSetting(name: string, env: Environment, problems: string[]): string | undefined {
  const direct = env[name]?.trim();
  const file = env[`${name}_FILE`]?.trim();
  if (direct && file) problems.push(`${name} and ${name}_FILE are both set: keep one`);
  if (direct || !file) return direct || undefined;
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch (error) {
    problems.push(`${name}_FILE cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`);
    return undefined;
  }
}

function unknownNames(env: Environment, rules: ConfigRules): string[] {
  const known = new Set(rules.known.flatMap((name) => [name, `${name}_FILE`]));
  return Object.keys(env)
    .filter((name) => name.startsWith(rules.prefix) && !known.has(name))
    .map((name) => `${name} is not a setting of this version`);
}

interface Annotation {
  readonly type?: string;
  readonly default?: unknown;
  readonly description?: string;
  readonly lowercase?: boolean;
}

const annotation = (schema: TObject, name: string) => (schema.properties[name] ?? {}) as Annotation;

/** The text of a setting as its schema's type; `lowercase: true` makes the case not matter. */
function converted({ type, lowercase, default: byDefault }: Annotation, text: string | undefined): unknown {
  if (text === undefined) return byDefault;
  if (type === 'integer' && /^-?\d{1,15}$/.test(text)) return Number(text);
  return lowercase ? text.toLowerCase() : text;
}

/** One line for each setting that is missing or does not fit; never the value, which may be a secret. */
function schemaProblems(schema: TObject, config: Record<string, unknown>): string[] {
  const lines = new Map<string, string>();
  const [, errors] = Compile(schema).Errors(config);
  for (const error of errors) {
    const missing = (error.params as { requiredProperties?: string[] }).requiredProperties;
    for (const name of missing ?? [error.instancePath.split('/')[1] ?? '']) {
      const meaning = annotation(schema, name).description;
      const fault = missing
        ? 'is required'
        : error.keyword === 'pattern'
          ? 'is not of the right form'
          : error.message;
      if (!lines.has(name)) lines.set(name, `${name} ${fault}${meaning ? `: ${meaning}` : ''}`);
    }
  }
  return [...lines.values()];
}

/**
 * Reads settings from the environment, strictly: values are converted to the schema's types, `X_FILE` names a file
 * that holds `X`, defaults come from the schema. Throws {@link ConfigError} with all problems, those of `check` among
 * them; the result is frozen.
 */
export function loadConfig<Schema extends TObject>(
  schema: Schema,
  env: Environment,
  rules: ConfigRules,
  check: ConfigCheck = () => [],
): Readonly<Static<Schema>> {
  const problems = unknownNames(env, rules);
  for (const [name, hint] of Object.entries(rules.hints ?? {})) {
    if (env[name]) problems.push(`${name} is not used here: ${hint}`);
  }
  const config: Record<string, unknown> = {};
  for (const name of Object.keys(schema.properties)) {
    const value = converted(annotation(schema, name), readSetting(name, env, problems));
    if (value !== undefined) config[name] = value;
  }
  problems.push(...schemaProblems(schema, config), ...check(config));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config) as Readonly<Static<Schema>>;
}

/** Calls every `load` and gives what the first returns; throws one {@link ConfigError} with the problems of all. */
export function loadTogether<T>(...loads: readonly [() => T, ...(() => unknown)[]]): T {
  const problems = new Set<string>();
  const [first] = loads.map((load) => {
    try {
      return load();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const problem of error.problems) problems.add(problem);
      return undefined;
    }
  });
  if (problems.size > 0) throw new ConfigError([...problems]);
  return first as T;
}
